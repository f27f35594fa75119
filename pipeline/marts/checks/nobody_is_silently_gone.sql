-- A scored district has, in every year and flavour of the index, either a score or a reason for having none.
with run as (
    select distinct framework_id, flavour, year, window_years
    from mart_score
    where depth = 0
),

root as (
    select distinct framework_id, node_id
    from mart_score
    where depth = 0
)

select area.area_code, run.framework_id, run.flavour, run.year
from dim_area as area
cross join run
inner join root using (framework_id)
left join mart_score as score using (area_code, framework_id, flavour, year, window_years, node_id)
left join mart_not_scored as reason using (area_code, framework_id, flavour, year, window_years, node_id)
where area.level = 'district' and area.is_scored and score.area_code is null and reason.area_code is null
