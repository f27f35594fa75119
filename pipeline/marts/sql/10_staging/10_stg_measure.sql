-- One row is one measure that may move: an indicator, or a pass-through, which only frameworks define.
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
union all
select
    node_id as indicator_id,
    any_value(title) as title,
    null as unit,
    true as is_log,
    1 as polarity,
    false as is_within_nation,
    [] as series_breaks
from input_node
where is_indicator and node_id not in (select indicator_id from input_indicator)
group by node_id
