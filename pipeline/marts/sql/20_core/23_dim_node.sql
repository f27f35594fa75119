-- One row is one node of a framework's tree.
select
    framework_id,
    node_id,
    framework_title,
    parent_node_id,
    position,
    depth,
    title,
    is_indicator,
    aggregate,
    weight,
    is_optional,
    flavours,
    note
from input_node
order by position
