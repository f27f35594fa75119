-- One row is one figure for one small area and period.
select
    area_code::area_code as area_code,
    period_start::date as period_start,
    period_end::date as period_end,
    value,
    status,
    source_row::integer as source_row
from input_figure
order by 1, 2
