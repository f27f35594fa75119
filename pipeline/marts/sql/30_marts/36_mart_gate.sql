-- One row is the decision whether one indicator is reliable enough to be scored, in one flavour and year.
select
    gate.framework_id,
    framework.framework_title,
    gate.flavour,
    coalesce(gate.window_years, 0) as window_years,
    gate.indicator_id,
    measured.title as indicator_title,
    gate.year,
    gate.is_scored,
    gate.reason,
    gate.reliability,
    gate.reliability_deciding,
    gate.districts,
    gate.districts_with_error,
    gate.error_kind,
    gate.new_share
from input_gate as gate
inner join stg_framework as framework using (framework_id)
inner join stg_measure as measured using (indicator_id)
order by gate.framework_id, gate.flavour, window_years, gate.indicator_id, gate.year
