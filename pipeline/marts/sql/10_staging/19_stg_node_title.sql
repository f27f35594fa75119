-- One row is one node of one framework in one flavour, window and year, with its title. A pillar with only some of its
-- indicators says which: "Participation in work (claimants and modelled unemployment only)".
with member as (
    select
        members.framework_id,
        members.flavour,
        members.window_years,
        members.year,
        members.node_id,
        unnest(members.member_ids) as member_id,
        generate_subscripts(members.member_ids, 1) as position
    from stg_node_members as members
    where not members.is_whole
),

listed as (
    select
        member.framework_id,
        member.flavour,
        member.window_years,
        member.year,
        member.node_id,
        list(
            lower(left(coalesce(indicator.short_title, node.title), 1)) || substring(coalesce(indicator.short_title, node.title), 2)
            order by member.position
        ) as names
    from member
    inner join input_node as node
        on member.framework_id = node.framework_id and member.member_id = node.node_id
    left join input_indicator as indicator on member.member_id = indicator.indicator_id
    group by all
),

view as (
    select distinct framework_id, flavour, coalesce(window_years, 0) as window_years, year
    from input_gate
)

select
    view.framework_id::framework_code as framework_id,
    view.flavour::flavour_code as flavour,
    view.window_years,
    view.year,
    node.node_id::node_code as node_id,
    node.title
    || coalesce(
        ' ('
        || if(len(listed.names) > 1, array_to_string(listed.names[:-2], ', ') || ' and ', '')
        || listed.names[-1]
        || ' only)',
        ''
    ) as title
from view
inner join input_node as node using (framework_id)
left join listed
    on
        view.framework_id = listed.framework_id
        and view.flavour = listed.flavour
        and view.window_years = listed.window_years
        and view.year = listed.year
        and node.node_id = listed.node_id
