-- One row is one alternative way of building the index, with proof that it differs and its effect on ranks.
select
    variant.framework_id,
    framework.framework_title,
    variant.flavour,
    variant.factor,
    variant.option,
    variant.year,
    variant.proof,
    variant.is_proven,
    variant.mean_rank_shift,
    variant.largest_rank_shift,
    variant.districts_compared,
    variant.districts_no_longer_ranked
from input_sensitivity_variant as variant
inner join stg_framework as framework using (framework_id)
order by variant.framework_id, variant.flavour, variant.factor, variant.option
