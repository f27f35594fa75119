-- One row is one node with its own indicators, in one framework, flavour, window and year, and lists those scored
-- there,
-- in the order of the framework's file. An indicator counts as scored if it passes its gate and some district has a
-- figure that year, its own or carried forward. `is_whole` means that none of the node's indicators is missing.
select
    gate.framework_id::framework_code as framework_id,
    gate.flavour::flavour_code as flavour,
    coalesce(gate.window_years, 0) as window_years,
    gate.year,
    node.parent_node_id::node_code as node_id,
    coalesce(
        list(gate.indicator_id::node_code order by node.position) filter (where gate.is_scored and gate.districts > 0), []
    ) as member_ids,
    bool_and(gate.is_scored and gate.districts > 0) as is_whole
from input_gate as gate
inner join input_node as node
    on gate.framework_id = node.framework_id and gate.indicator_id = node.node_id
group by all
