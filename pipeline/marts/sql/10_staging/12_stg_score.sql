-- One row is one score at one node, with the window of the level flavour written as 0. Codes become enums here, while they
-- are still positions in a short list: joins and the sort of half a million rows then handle numbers.
select
    area_code::area_code as area_code,
    framework_id::framework_code as framework_id,
    flavour::flavour_code as flavour,
    year,
    coalesce(window_years, 0) as window_years,
    node_id::node_code as node_id,
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
