-- One row is the modelled change of one district and indicator up to the newest year, beside the published one.
select
    modelled.area_code,
    area.area_name,
    modelled.indicator_id,
    indicator.title as indicator_title,
    modelled.window_years,
    modelled.year,
    case when indicator.transform = 'log_ratio' then 'per cent' else 'percentage points' end as change_unit,
    modelled.change,
    modelled.standard_error,
    modelled.change_modelled,
    modelled.modelled_lower,
    modelled.modelled_upper,
    modelled.mse,
    modelled.weight_direct,
    modelled.weight_survey
from input_modelled_change as modelled
inner join dim_area as area using (area_code)
inner join dim_indicator as indicator using (indicator_id)
order by modelled.indicator_id, modelled.window_years, modelled.area_code
