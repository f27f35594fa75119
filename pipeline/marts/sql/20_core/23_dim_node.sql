-- One row is one node of a framework's tree.
select
    node.framework_id,
    node.node_id,
    node.framework_title,
    node.parent_node_id,
    parent.title as parent_title,
    node.position,
    node.depth,
    node.title,
    node.is_indicator,
    node.aggregate,
    node.weight,
    node.is_optional,
    node.label_role,
    node.compared_within,
    node.flavours,
    node.note
from input_node as node
left join input_node as parent
    on node.framework_id = parent.framework_id and node.parent_node_id = parent.node_id
order by node.position
