-- One row is one figure for one area, indicator and period, on today's map.
select
    observation.area_code,
    area.area_name,
    area.level,
    observation.indicator_id,
    indicator.title as indicator_title,
    indicator.unit,
    observation.period,
    observation.period_start::date as period_start,
    observation.period_end::date as period_end,
    observation.year,
    observation.value,
    round(observation.lower, 9) as lower,
    round(observation.upper, 9) as upper,
    round(observation.standard_error, 6) as standard_error,
    observation.numerator,
    observation.denominator,
    observation.status,
    observation.geography_rule,
    observation.source_area_codes,
    source_area.area_names as source_area_names,
    observation.source_id,
    observation.edition,
    observation.payload_sha256,
    observation.source_row
from input_observation as observation
inner join input_area as area using (area_code)
inner join input_indicator as indicator using (indicator_id)
inner join stg_area_names as source_area on observation.source_area_codes = source_area.area_codes
order by observation.indicator_id, observation.area_code, observation.period_start, observation.period_end
