-- One row is one other way of building the index, with proof that it is another and what it does to ranks.
select
    framework_id,
    flavour,
    factor,
    option,
    year,
    proof,
    is_proven,
    mean_rank_shift,
    largest_rank_shift,
    districts_compared,
    districts_no_longer_ranked
from input_sensitivity_variant
order by framework_id, flavour, factor, option
