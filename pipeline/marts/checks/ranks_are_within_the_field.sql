-- A rank is between 1 and the number ranked, inside its interval, and only districts are ranked.
select area_code, node_id, year, rank, rank_count, rank_lower, rank_upper
from mart_score
where
    rank > rank_count
    or rank_lower > rank_upper
    or rank_upper > rank_count
    or (rank is not null and level <> 'district')
