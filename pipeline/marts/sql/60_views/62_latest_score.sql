-- One row is one score of one area at one node in the latest year of its framework, flavour and window, with the points it
-- adds to the node above: over the members of a node, `points_added` sums to that node's score less 50.
select
    score.area_code,
    score.area_name,
    score.level,
    area.region_name,
    area.nation_name,
    area.county_name,
    area.combined_authority_name,
    score.framework_id,
    score.framework_title,
    score.flavour,
    score.window_years,
    score.year,
    score.node_id,
    score.node_title,
    score.node_kind,
    score.depth,
    node.position,
    node.parent_node_id,
    node.parent_title,
    score.score,
    score.score_lower,
    score.score_upper,
    score.verdict,
    score.rank,
    score.rank_lower,
    score.rank_upper,
    score.rank_count,
    score.is_band,
    score.is_carried_forward,
    score.probability_above_typical,
    score.probability_top_fifth,
    score.probability_bottom_fifth,
    score.sure_fifth,
    score.weight_with_error,
    score.missing_pillars,
    contribution.points as points_added
from mart_score as score
inner join dim_area as area on score.area_code = area.area_code
inner join dim_node as node on score.framework_id = node.framework_id and score.node_id = node.node_id
left join mart_contribution as contribution
    on
        score.area_code = contribution.area_code
        and score.framework_id = contribution.framework_id
        and score.flavour = contribution.flavour
        and score.window_years = contribution.window_years
        and score.year = contribution.year
        and node.parent_node_id = contribution.node_id
        and score.node_id = contribution.member_id
where score.is_latest_year
