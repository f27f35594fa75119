-- One row is one area code that was in force on any day since 2009.
select
    history.area_code,
    history.area_name,
    history.level,
    history.start_date::date as start_date,
    history.end_date::date as end_date,
    history.is_current,
    history.predecessor_codes,
    predecessor.area_names as predecessor_names,
    history.successor_codes,
    successor.area_names as successor_names,
    history.current_codes,
    today.area_names as current_names,
    history.began_by,
    history.ended_by
from input_area_history as history
left join stg_area_names as predecessor on history.predecessor_codes = predecessor.area_codes
left join stg_area_names as successor on history.successor_codes = successor.area_codes
left join stg_area_names as today on history.current_codes = today.area_codes
order by history.area_code
