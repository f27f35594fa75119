-- One row is one indicator as a measure that may move.
with own_nation as (
    select distinct node_id
    from input_node
    where compared_within = 'nation'
)

select
    indicator_id,
    title,
    unit,
    transform = 'log_ratio' as is_log,
    polarity,
    indicator_id in (select node_id from own_nation) as is_within_nation,
    coalesce(string_split(series_breaks, ', ')::integer[], []) as series_breaks
from input_indicator
