-- One row is the change of one indicator in one area over one window. Frameworks that share an indicator share its
-- changes. So the default framework's are used, and the others only add what it lacks.
with coded as (
    select
        * replace (
            area_code::area_code as area_code,
            framework_id::framework_code as framework_id,
            indicator_id::node_code as indicator_id
        )
    from input_change
),

chosen as (
    select indicator_id, max(framework_id) as framework_id
    from coded
    group by indicator_id
)

select
    change.area_code,
    area.area_name,
    area.level,
    change.indicator_id,
    measured.title as indicator_title,
    change.measure,
    change.window_years,
    change.year,
    if(measured.is_log, 'natural logarithm', 'points') as change_unit,
    round(change.change, 6) as change,
    round(change.change_lower, 6) as change_lower,
    round(change.change_upper, 6) as change_upper,
    round(change.change_standard_error, 6) as change_standard_error,
    change.error_kind,
    round(change.change_in_value, 6) as change_in_value,
    round(change.probability_improved, 4) as probability_improved,
    round(change.reliability, 4) as reliability
from coded as change
inner join chosen using (indicator_id, framework_id)
inner join dim_area as area using (area_code)
inner join stg_measure as measured using (indicator_id)
order by change.indicator_id, change.measure, change.window_years, change.year, change.area_code
