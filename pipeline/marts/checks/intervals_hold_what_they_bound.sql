-- A score, a rank and a change are inside their intervals, ends included. Scores are rounded to six decimals.
select 'mart_score' as table_name, area_code, node_id::varchar as name, year, score as value
from mart_score
where score not between score_lower - 0.000001 and score_upper + 0.000001
union all
select 'mart_score' as table_name, area_code, node_id::varchar as name, year, rank as value
from mart_score
where rank not between rank_lower and rank_upper
union all
select 'mart_rank' as table_name, area_code, indicator_id::varchar as name, year, rank as value
from mart_rank
where
    rank not between rank_lower and rank_upper
    or rank not between rank_lower_simultaneous and rank_upper_simultaneous
union all
select 'mart_change' as table_name, area_code, indicator_id::varchar as name, year, change as value
from mart_change
where change not between change_lower and change_upper
