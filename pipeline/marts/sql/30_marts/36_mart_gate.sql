-- One row is the decision whether one indicator is reliable enough to be scored, in one flavour and year.
select
    framework_id,
    flavour,
    coalesce(window_years, 0) as window_years,
    indicator_id,
    year,
    measured_by,
    is_scored,
    reason,
    reliability,
    reliability_deciding,
    districts,
    districts_with_error
from input_gate
order by framework_id, flavour, window_years, indicator_id, year
