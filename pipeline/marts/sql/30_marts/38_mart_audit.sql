-- One row is one statistic about a framework's composition.
select
    row_number() over () as audit_id,
    audit.framework_id,
    framework.framework_title,
    audit.flavour,
    coalesce(audit.window_years, 0) as window_years,
    audit.year,
    audit.node_id,
    node.title as node_title,
    audit.member_id,
    member.title as member_title,
    audit.other_id,
    other.title as other_title,
    audit.statistic,
    audit.value,
    audit.districts,
    audit.is_flagged,
    nullif(audit.note, '') as note,
    audit."limit" as limit_value,
    audit.is_failure
from input_audit as audit
inner join stg_framework as framework using (framework_id)
left join dim_node as node using (framework_id, node_id)
left join dim_node as member on audit.framework_id = member.framework_id and audit.member_id = member.node_id
left join dim_node as other on audit.framework_id = other.framework_id and audit.other_id = other.node_id
