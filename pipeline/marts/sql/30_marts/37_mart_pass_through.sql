-- One row is the growth of one outcome of residents beside that of output per hour, in one area over the same years.
select
    pass_through.area_code,
    area.area_name,
    area.level,
    pass_through.outcome_id,
    outcome.title as outcome_title,
    pass_through.window_years,
    pass_through.first_year,
    pass_through.last_year,
    pass_through.year_count,
    round(pass_through.outcome_growth_percent, 6) as outcome_growth_percent,
    round(pass_through.outcome_growth_lower, 6) as outcome_growth_lower,
    round(pass_through.outcome_growth_upper, 6) as outcome_growth_upper,
    pass_through.outcome_error_kind,
    round(pass_through.output_growth_percent, 6) as output_growth_percent,
    round(pass_through.output_growth_lower, 6) as output_growth_lower,
    round(pass_through.output_growth_upper, 6) as output_growth_upper,
    pass_through.output_error_kind,
    round(pass_through.typical_outcome_growth_percent, 6) as typical_outcome_growth_percent,
    round(pass_through.typical_output_growth_percent, 6) as typical_output_growth_percent
from input_pass_through as pass_through
inner join dim_area as area using (area_code)
inner join dim_indicator as outcome on pass_through.outcome_id = outcome.indicator_id
order by pass_through.outcome_id, pass_through.window_years, pass_through.area_code
