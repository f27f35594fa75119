-- One row is one row of the payload that was set aside, and the reason.
select
    stage,
    source_row::integer as source_row,
    area_code,
    period,
    reason,
    raw_line
from input_quarantine
order by source_row
