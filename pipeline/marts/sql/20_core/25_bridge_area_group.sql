-- One row is one district of one named group of places.
select
    group_id,
    group_title,
    area_code,
    area_name,
    member_code,
    member_name
from input_area_group
order by group_id, area_code
