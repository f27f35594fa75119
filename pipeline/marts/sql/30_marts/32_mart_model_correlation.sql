-- One row is one indicator of another pillar beside one modelled series: how both correlate, before and after.
select
    correlation.indicator_id,
    indicator.title as indicator_title,
    correlation.other_id,
    other.title as other_title,
    correlation.year,
    correlation.districts,
    correlation.published as correlation_published,
    correlation.modelled as correlation_modelled
from input_model_correlation as correlation
inner join dim_indicator as indicator using (indicator_id)
inner join dim_indicator as other on correlation.other_id = other.indicator_id
order by correlation.indicator_id, correlation.other_id
