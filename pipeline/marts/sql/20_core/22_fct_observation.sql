-- One row is one figure for one area, indicator and period, on today's map.
select
    observation.area_code,
    area.area_name,
    area.level,
    observation.indicator_id,
    observation.period,
    observation.period_start::date as period_start,
    observation.period_end::date as period_end,
    observation.year,
    observation.value,
    observation.lower,
    observation.upper,
    observation.standard_error,
    observation.status,
    observation.geography_rule,
    observation.source_area_codes,
    observation.source_id,
    observation.edition,
    observation.payload_sha256,
    observation.source_row
from input_observation as observation
inner join input_area as area using (area_code)
order by observation.indicator_id, observation.area_code, observation.period_start, observation.period_end
