-- One row is one row of a payload that was set aside, with the reason.
select
    row_number() over (order by stage, indicator_id, source_row, area_code, period) as quarantine_id,
    stage,
    indicator_id,
    source_id,
    source_row,
    area_code,
    period,
    reason,
    raw_line
from input_quarantine
order by quarantine_id
