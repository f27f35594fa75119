-- One row is one end of one ranking, in its latest year: how many districts are surely in that fifth, and which.
with drawn as (
    -- every ranked district at both ends; the share of draws that puts it there is unknown where less than half of the
    -- weight has a known error
    select
        score.framework_id,
        score.flavour,
        score.window_years,
        score.node_id,
        score.area_code,
        score.year,
        score.place,
        score.rank_count,
        score.weight_with_error,
        ends.fifth,
        'draws' as basis,
        if(ends.fifth = 'top', score.probability_top_fifth, score.probability_bottom_fifth) as probability,
        probability >= clearly_from() as is_sure,
        probability >= 1 - clearly_from() as is_possible
    from stg_score as score
    inner join stg_latest_year using (framework_id, flavour, window_years, year)
    cross join (values ('top'), ('bottom')) as ends (fifth)
    where score.place is not null
),

-- the same from confidence sets for ranks, which exist for single indicators with published errors
set_ends as (
    select
        framework_id,
        'level' as flavour,
        0 as window_years,
        indicator_id as node_id,
        area_code,
        year,
        rank as place,
        rank_count,
        1.0 as weight_with_error,
        ends.fifth,
        'confidence set' as basis,
        null::double as probability,
        if(ends.fifth = 'top', rank_upper <= 0.2 * rank_count, rank_lower > 0.8 * rank_count) as is_sure,
        if(ends.fifth = 'top', rank_lower <= 0.2 * rank_count, rank_upper > 0.8 * rank_count) as is_possible
    from mart_rank
    cross join (values ('top'), ('bottom')) as ends (fifth)
),

placed as (
    select * from drawn
    union all by name
    select * from set_ends
)

select
    placed.framework_id,
    node.framework_title,
    placed.flavour,
    placed.window_years,
    placed.node_id,
    coalesce(titled.title, node.title) as node_title,
    placed.fifth,
    placed.basis,
    max(placed.year) as year,
    max(placed.rank_count) as rank_count,
    count(*) filter (
        where if(placed.fifth = 'top', placed.place <= 0.2 * placed.rank_count, placed.place > 0.8 * placed.rank_count)
    ) as fifth_count,
    count(placed.is_sure) as known_count,
    count(*) filter (where placed.is_sure) as sure_count,
    count(*) filter (where placed.is_possible) as possible_count,
    string_agg(
        area.area_name,
        '; ' order by if(placed.fifth = 'top', placed.place, -placed.place), area.area_name
    ) filter (where placed.is_sure) as sure_area_names,
    string_agg(
        placed.area_code::varchar,
        '+' order by if(placed.fifth = 'top', placed.place, -placed.place), area.area_name
    ) filter (where placed.is_sure) as sure_area_codes,
    round(avg(placed.weight_with_error order by placed.area_code), 3) as weight_with_error
from placed
inner join dim_area as area using (area_code)
inner join dim_node as node
    on placed.framework_id = node.framework_id and placed.node_id = node.node_id
left join stg_node_title as titled
    on
        placed.framework_id = titled.framework_id
        and placed.flavour = titled.flavour
        and placed.window_years = titled.window_years
        and placed.year = titled.year
        and placed.node_id = titled.node_id
group by all
order by
    placed.framework_id,
    placed.flavour,
    placed.window_years,
    min(node.position),
    placed.node_id,
    placed.basis,
    placed.fifth desc
