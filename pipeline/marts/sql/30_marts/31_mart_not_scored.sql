-- One row is one area without a score at one node, in one year and flavour, with the reason.
with coded as (
    select
        * replace (
            area_code::area_code as area_code,
            framework_id::framework_code as framework_id,
            flavour::flavour_code as flavour,
            node_id::node_code as node_id
        )
    from input_not_scored
)

select
    not_scored.area_code,
    area.area_name,
    not_scored.framework_id,
    node.framework_title,
    not_scored.flavour,
    not_scored.year,
    coalesce(not_scored.window_years, 0) as window_years,
    not_scored.node_id,
    coalesce(titled.title, node.title) as node_title,
    not_scored.reason
from coded as not_scored
inner join dim_area as area using (area_code)
inner join dim_node as node using (framework_id, node_id)
left join stg_node_title as titled
    on
        not_scored.framework_id = titled.framework_id
        and not_scored.flavour = titled.flavour
        and coalesce(not_scored.window_years, 0) = titled.window_years
        and not_scored.year = titled.year
        and not_scored.node_id = titled.node_id
order by
    not_scored.framework_id,
    not_scored.flavour,
    not_scored.window_years,
    not_scored.year,
    not_scored.node_id,
    not_scored.area_code
