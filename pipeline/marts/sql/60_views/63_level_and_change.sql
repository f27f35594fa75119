-- One row is one area at one node in one year: where it stands, and beside it where it is heading.
select
    here.area_code,
    here.area_name,
    here.level,
    here.framework_id,
    here.framework_title,
    here.node_id,
    here.node_title,
    here.node_kind,
    here.year,
    here.score as level_score,
    here.score_lower as level_score_lower,
    here.score_upper as level_score_upper,
    here.verdict as level_verdict,
    here.rank_lower as level_rank_lower,
    here.rank_upper as level_rank_upper,
    long.score as change_10_score,
    long.score_lower as change_10_score_lower,
    long.score_upper as change_10_score_upper,
    long.verdict as change_10_verdict,
    long.probability_above_typical as change_10_probability_improved,
    short.score as change_5_score,
    short.score_lower as change_5_score_lower,
    short.score_upper as change_5_score_upper,
    short.verdict as change_5_verdict,
    short.probability_above_typical as change_5_probability_improved
from mart_score as here
left join mart_score as long
    on
        here.area_code = long.area_code
        and here.framework_id = long.framework_id
        and here.node_id = long.node_id
        and here.year = long.year
        and long.flavour = 'change'
        and long.window_years = 10
left join mart_score as short
    on
        here.area_code = short.area_code
        and here.framework_id = short.framework_id
        and here.node_id = short.node_id
        and here.year = short.year
        and short.flavour = 'change'
        and short.window_years = 5
where here.flavour = 'level'
