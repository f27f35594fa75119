-- One row is one member of one named group of places, as the group lists it: a district, or a wider area with its
-- districts.
select
    bridge.group_id,
    bridge.group_title,
    bridge.member_code,
    bridge.member_name,
    any_value(area.level) as member_level,
    count(*) as district_count
from bridge_area_group as bridge
inner join dim_area as area on bridge.member_code = area.area_code
group by bridge.group_id, bridge.group_title, bridge.member_code, bridge.member_name
