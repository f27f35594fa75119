-- One row is one score of one area at one node of a framework, in one year and flavour. Scores are rounded to six
-- decimals, ends of intervals (outwards) and probabilities to three. That is far finer than their precision, and noisy
-- digits do not compress.
select
    score.area_code,
    area.area_name,
    area.level,
    score.framework_id,
    node.framework_title,
    score.flavour,
    score.year,
    score.window_years,
    score.year = latest.year as is_latest_year,
    score.node_id,
    coalesce(titled.title, node.title) as node_title,
    score.node_kind,
    score.depth,
    round(score.score, 6) as score,
    floor(round(1000 * score.score_lower, 6)) / 1000 as score_lower,
    ceil(round(1000 * score.score_upper, 6)) / 1000 as score_upper,
    score.rank,
    score.rank_count,
    score.rank_lower,
    score.rank_upper,
    round(score.probability_top_fifth, 3) as probability_top_fifth,
    round(score.probability_bottom_fifth, 3) as probability_bottom_fifth,
    round(score.probability_above_typical, 3) as probability_above_typical,
    score.verdict,
    missing.missing_pillars,
    score.sure_fifth,
    score.is_band,
    score.is_carried_forward,
    round(score.weight_present, 6) as weight_present,
    round(score.weight_with_error, 6) as weight_with_error,
    round(score.weight_published, 6) as weight_published,
    round(score.weight_from_vintages, 6) as weight_from_vintages,
    round(score.weight_modelled, 6) as weight_modelled,
    score.error_kind
from stg_score as score
inner join stg_latest_year as latest using (framework_id, flavour, window_years)
inner join dim_area as area using (area_code)
inner join dim_node as node using (framework_id, node_id)
left join stg_node_title as titled
    on
        score.framework_id = titled.framework_id
        and score.flavour = titled.flavour
        and score.window_years = titled.window_years
        and score.year = titled.year
        and score.node_id = titled.node_id
left join stg_missing_pillars as missing
    on
        score.framework_id = missing.framework_id
        and score.flavour = missing.flavour
        and score.window_years = missing.window_years
        and score.year = missing.year
        and score.node_id = missing.node_id
        and score.area_code = missing.area_code
order by score.framework_id, score.flavour, score.window_years, score.year, score.depth, score.node_id, score.area_code
