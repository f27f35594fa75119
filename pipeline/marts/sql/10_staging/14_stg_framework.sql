-- One row is one scoring framework.
select distinct framework_id, framework_title
from input_node
