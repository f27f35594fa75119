-- One row is one score of one area at one node of a framework, in one year and flavour. Ends of intervals, which are
-- quantiles of draws, are rounded far below their own error, which halves their size in the file.
select
    score.area_code,
    area.area_name,
    area.level,
    score.framework_id,
    score.flavour,
    score.year,
    score.window_years,
    score.node_id,
    score.node_kind,
    score.depth,
    score.score,
    round(score.score_lower, 6) as score_lower,
    round(score.score_upper, 6) as score_upper,
    score.rank,
    score.rank_count,
    score.rank_lower,
    score.rank_upper,
    score.probability_top_fifth,
    score.probability_bottom_fifth,
    score.probability_above_typical,
    score.is_band,
    score.is_carried_forward,
    score.weight_present,
    score.weight_with_error
from stg_score as score
inner join dim_area as area using (area_code)
order by score.framework_id, score.flavour, score.window_years, score.year, score.depth, score.node_id, score.area_code
