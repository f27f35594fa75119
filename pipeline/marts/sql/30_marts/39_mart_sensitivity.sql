-- One row is the effect on ranks of one choice made in building the index, in one flavour.
select
    effect.framework_id,
    framework.framework_title,
    effect.flavour,
    effect.factor,
    effect.year,
    effect.first_order,
    effect.first_order_half_width,
    effect.total_effect,
    effect.total_effect_half_width,
    effect.mean_area_total_effect,
    effect.mean_rank_shift,
    effect.evaluations
from input_sensitivity as effect
inner join stg_framework as framework using (framework_id)
order by effect.framework_id, effect.flavour, effect.factor
