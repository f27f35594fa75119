-- One row is one indicator: the kind of its figures' errors, and how they run over the years.
select
    process.indicator_id,
    indicator.title as indicator_title,
    if(indicator.transform = 'log_ratio', 'natural logarithm', 'points') as error_unit,
    process.error_kind,
    process.first_year,
    process.last_year,
    process.districts_with_error,
    round(process.median_error, 6) as median_error,
    round(process.new_share, 4) as new_share,
    round(process.new_share_standard_error, 4) as new_share_standard_error,
    round(process.signal_a_year, 6) as signal_a_year,
    round(process.signal_a_year_standard_error, 6) as signal_a_year_standard_error,
    round(process.r_squared, 4) as r_squared,
    round(process.reliability_level, 4) as reliability_level,
    round(process.reliability_slope, 4) as reliability_slope,
    process.note
from input_error_process as process
inner join input_indicator as indicator using (indicator_id)
order by indicator.position
