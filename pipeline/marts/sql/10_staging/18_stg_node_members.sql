-- One row is one node above the indicators in one framework, flavour, window and year, with the indicators that were scored
-- for it; is_whole says whether those are all it is made of.
select
    gate.framework_id,
    gate.flavour,
    coalesce(gate.window_years, 0) as window_years,
    gate.year,
    node.parent_node_id as node_id,
    list(gate.indicator_id order by node.position) filter (where gate.is_scored) as member_ids,
    bool_and(gate.is_scored) as is_whole
from input_gate as gate
inner join input_node as node
    on gate.framework_id = node.framework_id and gate.indicator_id = node.node_id
group by all
