-- One row is one row of a payload that was set aside, with the reason.
select
    row_number() over (
        order by
            quarantine.stage,
            quarantine.indicator_id,
            quarantine.source_row,
            quarantine.area_code,
            quarantine.period
    ) as quarantine_id,
    quarantine.stage,
    quarantine.indicator_id,
    indicator.title as indicator_title,
    quarantine.source_id,
    quarantine.source_row,
    quarantine.area_code,
    history.area_name,
    quarantine.period,
    quarantine.reason,
    quarantine.raw_line
from input_quarantine as quarantine
inner join input_indicator as indicator using (indicator_id)
left join input_area_history as history using (area_code)
order by quarantine_id
