-- One row is one part of one indicator, with the origin of its figures in this run and the reason.
select
    source.indicator_id,
    indicator.title as indicator_title,
    source.part_id,
    source.tier,
    source.source_id,
    source.publisher,
    source.edition,
    source.publisher_updated,
    source.retrieved_on,
    source.age_days,
    source.is_stale,
    source.why_not_live,
    source.url,
    source.payload_sha256,
    source.licence,
    source.row_count,
    source.quarantined_count,
    source.district_count,
    source.first_year,
    source.last_year,
    source.latest_period_end::date as latest_period_end,
    source.release_id,
    source.next_expected_on::date as next_expected_on,
    source.release_status,
    source.warnings
from input_source as source
inner join input_indicator as indicator using (indicator_id)
order by source.indicator_id, source.part_id
