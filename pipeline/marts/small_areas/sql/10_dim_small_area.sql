-- One row is one small area for which figures are published.
select
    area_code,
    area_name,
    district_code,
    district_name
from input_area
order by area_code
