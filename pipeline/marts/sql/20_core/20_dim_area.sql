-- One row is one area: a current district, or a wider area.
select
    area_code,
    area_name,
    level,
    region_code,
    region_name,
    nation_code,
    nation_name,
    county_code,
    county_name,
    combined_authority_code,
    combined_authority_name,
    latitude,
    longitude,
    start_date,
    is_scored
from input_area
order by area_code
