-- One row is one score at one node; the level has window 0. Codes become enums here, while they are still positions in
-- a
-- short list, so that joins and the sort of half a million rows work on numbers.
-- Rank and probability are null where less than half of the weight has a known error. `place` keeps the order of the
-- scores themselves, for counting only.
with score as (
    select
        *,
        score_lower is not null and is_error_known(weight_with_error) as is_known
    from input_score
    where score is not null
)

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
    rank as place,
    rank_count,
    if(is_known, rank, null) as rank,
    if(is_known, rank_lower, null) as rank_lower,
    if(is_known, rank_upper, null) as rank_upper,
    if(is_known, probability_top_fifth, null) as probability_top_fifth,
    if(is_known, probability_bottom_fifth, null) as probability_bottom_fifth,
    if(is_known, probability_above_typical, null) as probability_above_typical,
    verdict(if(is_known, round(probability_above_typical, 3), null), weight_with_error, 'above', 'below') as verdict,
    case
        when is_known and probability_top_fifth >= clearly_from() then 'top'
        when is_known and probability_bottom_fifth >= clearly_from() then 'bottom'
    end as sure_fifth,
    if(is_known, is_band, null) as is_band,
    is_carried_forward,
    weight_present,
    weight_with_error,
    weight_published,
    weight_from_vintages,
    weight_modelled,
    error_kind
from score
