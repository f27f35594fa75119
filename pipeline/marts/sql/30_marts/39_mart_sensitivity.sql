-- One row is what one choice made in building the index does to ranks, in one flavour.
select
    framework_id,
    flavour,
    factor,
    year,
    first_order,
    first_order_half_width,
    total_effect,
    total_effect_half_width,
    mean_area_total_effect,
    mean_rank_shift,
    evaluations
from input_sensitivity
order by framework_id, flavour, factor
