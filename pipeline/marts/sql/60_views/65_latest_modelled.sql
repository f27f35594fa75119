-- One row is the newest modelled figure of one district and indicator, beside the published one.
select
    modelled.area_code,
    modelled.area_name,
    modelled.indicator_id,
    modelled.indicator_title,
    modelled.year,
    modelled.value,
    modelled.standard_error,
    modelled.value_modelled,
    modelled.modelled_lower,
    modelled.modelled_upper,
    modelled.weight_direct,
    modelled.weight_survey,
    indicator.unit
from mart_modelled as modelled
inner join dim_indicator as indicator on modelled.indicator_id = indicator.indicator_id
where
    modelled.year = (
        select max(newest.year) from mart_modelled as newest where newest.indicator_id = modelled.indicator_id
    )
