-- One row is one score at one node, with the window of the level flavour written as 0.
select
    area_code,
    framework_id,
    flavour,
    year,
    coalesce(window_years, 0) as window_years,
    node_id,
    node_kind,
    depth,
    score,
    score_lower,
    score_upper,
    rank,
    rank_count,
    rank_lower,
    rank_upper,
    probability_top_fifth,
    probability_bottom_fifth,
    probability_above_typical,
    is_band,
    is_carried_forward,
    weight_present,
    weight_with_error
from input_score
where score is not null
