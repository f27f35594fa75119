-- One row is one part of one indicator, with where its figures came from in this run and why.
select
    indicator_id,
    part_id,
    tier,
    source_id,
    publisher,
    edition,
    publisher_updated,
    retrieved_on,
    age_days,
    is_stale,
    why_not_live,
    url,
    payload_sha256,
    licence,
    row_count,
    quarantined_count,
    district_count,
    first_year,
    last_year,
    warnings
from input_source
order by indicator_id, part_id
