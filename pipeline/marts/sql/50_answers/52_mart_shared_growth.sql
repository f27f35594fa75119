-- One row is one district on the chart of growth and sharing, in one framework, flavour, window and year.
with half as (
    select score.*, node.label_role
    from mart_score as score
    inner join dim_node as node using (framework_id, node_id)
    where node.label_role is not null and score.level = 'district'
),

quadrant as (
    select
        * replace (
            if(flavour = 'level', replace(label, 'growing', 'prosperous'), label) as label,
            if(flavour = 'level', replace(most_probable_label, 'growing', 'prosperous'), most_probable_label)
                as most_probable_label
        )
    from stg_label
)

select
    growth.area_code,
    growth.area_name,
    area.region_name,
    area.nation_name,
    growth.framework_id,
    growth.framework_title,
    growth.flavour,
    growth.window_years,
    growth.year,
    growth.is_latest_year,
    growth.node_title as growth_title,
    growth.score as growth_score,
    growth.score_lower as growth_score_lower,
    growth.score_upper as growth_score_upper,
    growth.verdict as growth_verdict,
    growth.probability_above_typical as growth_probability_above_typical,
    growth.rank_lower as growth_rank_lower,
    growth.rank_upper as growth_rank_upper,
    growth.rank_count as growth_rank_count,
    growth.is_carried_forward as is_growth_carried_forward,
    growth.weight_with_error as growth_weight_with_error,
    sharing.node_title as sharing_title,
    sharing.score as sharing_score,
    sharing.score_lower as sharing_score_lower,
    sharing.score_upper as sharing_score_upper,
    sharing.verdict as sharing_verdict,
    sharing.probability_above_typical as sharing_probability_above_typical,
    sharing.rank_lower as sharing_rank_lower,
    sharing.rank_upper as sharing_rank_upper,
    sharing.rank_count as sharing_rank_count,
    sharing.is_carried_forward as is_sharing_carried_forward,
    sharing.weight_with_error as sharing_weight_with_error,
    quadrant.most_probable_label as most_probable_quadrant,
    quadrant.probability as quadrant_probability,
    quadrant.label,
    quadrant.probability_growing_and_sharing as probability_growth_and_sharing,
    quadrant.probability_growing_not_sharing as probability_growth_not_sharing,
    quadrant.probability_sharing_not_growing as probability_sharing_not_growth,
    quadrant.probability_neither
from half as growth
inner join half as sharing using (area_code, framework_id, flavour, window_years, year)
inner join dim_area as area using (area_code)
left join quadrant using (area_code, framework_id, flavour, window_years, year)
where growth.label_role = 'growth' and sharing.label_role = 'sharing'
order by growth.framework_id, growth.flavour, growth.window_years, growth.year, growth.area_code
