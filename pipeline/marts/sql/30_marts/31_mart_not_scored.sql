-- One row is one area without a score at one node, in one year and flavour, with the reason.
select
    not_scored.area_code,
    area.area_name,
    not_scored.framework_id,
    not_scored.flavour,
    not_scored.year,
    coalesce(not_scored.window_years, 0) as window_years,
    not_scored.node_id,
    not_scored.reason
from input_not_scored as not_scored
inner join dim_area as area using (area_code)
order by
    not_scored.framework_id,
    not_scored.flavour,
    not_scored.window_years,
    not_scored.year,
    not_scored.node_id,
    not_scored.area_code
