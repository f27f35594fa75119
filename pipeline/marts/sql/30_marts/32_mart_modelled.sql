-- One row is one modelled figure of one district and year, beside the published one.
select
    modelled.area_code,
    area.area_name,
    modelled.indicator_id,
    indicator.title as indicator_title,
    modelled.year,
    modelled.value,
    round(modelled.standard_error, 6) as standard_error,
    modelled.value_modelled,
    modelled.modelled_lower,
    modelled.modelled_upper,
    modelled.mse,
    modelled.weight_direct,
    modelled.weight_survey,
    modelled.benchmark_status,
    modelled.benchmark_target,
    modelled.benchmark_weight
from input_modelled as modelled
inner join dim_area as area using (area_code)
inner join dim_indicator as indicator using (indicator_id)
order by modelled.indicator_id, modelled.year, modelled.area_code
