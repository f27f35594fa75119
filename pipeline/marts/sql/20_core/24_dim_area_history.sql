-- One row is one area code that was in force on any day since 2009.
select
    area_code,
    area_name,
    level,
    start_date::date as start_date,
    end_date::date as end_date,
    is_current,
    predecessor_codes,
    successor_codes,
    current_codes,
    began_by,
    ended_by
from input_area_history
order by area_code
