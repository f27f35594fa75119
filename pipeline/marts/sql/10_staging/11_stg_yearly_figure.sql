-- One row is one figure for one area, indicator and year; of several periods in a year, the one that ends last.
-- Withheld and missing figures are left out. `comparison_nation` is the nation within which figures may be compared. It
-- is empty unless the nations' publishers define the indicator differently. `basis` counts the breaks of the series
-- before the year: figures on different bases do not compare over time.
select
    observation.area_code,
    observation.indicator_id,
    observation.year,
    observation.period,
    observation.value,
    observation.lower,
    observation.upper,
    observation.standard_error,
    observation.status,
    observation.geography_rule,
    area.level,
    area.is_scored,
    if(measured.is_within_nation, coalesce(area.nation_code, ''), '') as comparison_nation,
    measured.is_log,
    measured.polarity,
    len(list_filter(measured.series_breaks, lambda last_year: last_year < observation.year)) as basis
from input_observation as observation
inner join input_area as area using (area_code)
inner join stg_measure as measured using (indicator_id)
where observation.value is not null
qualify
    row_number() over (
        partition by observation.area_code, observation.indicator_id, observation.year
        order by observation.period_end desc, observation.period_start desc
    ) = 1
