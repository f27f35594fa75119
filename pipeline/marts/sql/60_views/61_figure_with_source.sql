-- One row is one figure of fct_observation with its source.
with source as (
    select
        indicator_id,
        payload_sha256,
        any_value(tier) as tier,
        any_value(publisher) as publisher,
        any_value(edition) as edition,
        any_value(retrieved_on) as retrieved_on,
        any_value(url) as url,
        any_value(licence) as licence
    from meta_source
    group by indicator_id, payload_sha256
)

select
    figure.area_code,
    figure.area_name,
    figure.level,
    figure.indicator_id,
    figure.indicator_title,
    figure.unit,
    figure.period,
    figure.year,
    figure.value,
    figure.status,
    figure.geography_rule,
    figure.source_area_codes,
    figure.source_area_names,
    figure.edition,
    figure.source_row,
    source.tier,
    source.publisher,
    source.retrieved_on,
    source.url,
    source.licence
from fct_observation as figure
left join source on figure.indicator_id = source.indicator_id and figure.payload_sha256 = source.payload_sha256
