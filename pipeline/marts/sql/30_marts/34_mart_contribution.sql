-- One row is one member's contribution to the score of the node above it, in one area, year and flavour. Contributions
-- are
-- rounded to four decimals of a point, or under a geometric mean to seven of a logarithm. Those of a node's members
-- still
-- sum to the node, within a thousandth of a point or a millionth. For change, only windows that end in the last five
-- years
-- are kept; earlier ones can be derived from the scores and weights in mart_score.
with coded as (
    select
        * replace (
            area_code::area_code as area_code,
            framework_id::framework_code as framework_id,
            flavour::flavour_code as flavour,
            node_id::node_code as node_id,
            member_id::node_code as member_id
        )
    from input_contribution
    where flavour = 'level' or year > (select max(year) - 5 from input_contribution)
),

summed as (
    select
        *,
        sum(contribution) over (
            partition by framework_id, flavour, window_years, year, node_id, area_code
            order by member_id rows between unbounded preceding and unbounded following
        ) as sum_over_members
    from coded
)

select
    contribution.area_code,
    area.area_name,
    contribution.framework_id,
    node.framework_title,
    contribution.flavour,
    contribution.year,
    coalesce(contribution.window_years, 0) as window_years,
    contribution.node_id,
    coalesce(titled.title, node.title) as node_title,
    contribution.member_id,
    coalesce(titled_member.title, member.title) as member_title,
    contribution.aggregate,
    round(contribution.member_score, 4) as member_score,
    contribution.weight,
    round(contribution.contribution, if(contribution.aggregate = 'arithmetic', 4, 7)) as contribution,
    round((score.score - 50) * contribution.contribution / nullif(contribution.sum_over_members, 0), 2) as points
from summed as contribution
inner join stg_score as score
    on
        contribution.area_code = score.area_code
        and contribution.framework_id = score.framework_id
        and contribution.flavour = score.flavour
        and coalesce(contribution.window_years, 0) = score.window_years
        and contribution.year = score.year
        and contribution.node_id = score.node_id
inner join dim_area as area on contribution.area_code = area.area_code
inner join dim_node as node
    on contribution.framework_id = node.framework_id and contribution.node_id = node.node_id
inner join dim_node as member
    on contribution.framework_id = member.framework_id and contribution.member_id = member.node_id
left join stg_node_title as titled
    on
        contribution.framework_id = titled.framework_id
        and contribution.flavour = titled.flavour
        and coalesce(contribution.window_years, 0) = titled.window_years
        and contribution.year = titled.year
        and contribution.node_id = titled.node_id
left join stg_node_title as titled_member
    on
        contribution.framework_id = titled_member.framework_id
        and contribution.flavour = titled_member.flavour
        and coalesce(contribution.window_years, 0) = titled_member.window_years
        and contribution.year = titled_member.year
        and contribution.member_id = titled_member.node_id
order by
    contribution.framework_id,
    contribution.flavour,
    contribution.window_years,
    contribution.year,
    contribution.node_id,
    contribution.member_id,
    contribution.area_code
