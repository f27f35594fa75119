-- One row is the rank of one district at the index or a domain, in the latest year: from percentiles and as a set.
select
    score.area_code,
    area.area_name,
    score.framework_id,
    framework.framework_title,
    score.flavour,
    score.window_years,
    score.node_id,
    coalesce(titled.title, node.title) as node_title,
    score.year,
    score.rank,
    score.rank_count,
    score.rank_lower,
    score.rank_upper,
    composite.coverage,
    composite.set_lower,
    composite.set_upper
from input_composite_rank as composite
inner join stg_score as score
    on score.area_code = composite.area_code
    and score.framework_id = composite.framework_id
    and score.flavour = composite.flavour
    and score.window_years = coalesce(composite.window_years, 0)
    and score.year = composite.year
    and score.node_id = composite.node_id
inner join dim_area as area on area.area_code = score.area_code
inner join stg_framework as framework on framework.framework_id = score.framework_id
inner join dim_node as node on score.framework_id = node.framework_id and score.node_id = node.node_id
left join stg_node_title as titled
    on
        score.framework_id = titled.framework_id
        and score.flavour = titled.flavour
        and score.window_years = titled.window_years
        and score.year = titled.year
        and score.node_id = titled.node_id
where score.rank_lower is not null
order by score.framework_id, score.flavour, score.window_years, score.node_id, score.area_code
