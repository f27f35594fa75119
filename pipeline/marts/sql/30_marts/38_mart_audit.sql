-- One row is one statistic of the default framework's make-up.
select
    row_number() over () as audit_id,
    framework_id,
    flavour,
    coalesce(window_years, 0) as window_years,
    year,
    node_id,
    member_id,
    other_id,
    statistic,
    value,
    districts,
    is_flagged,
    nullif(note, '') as note
from input_audit
