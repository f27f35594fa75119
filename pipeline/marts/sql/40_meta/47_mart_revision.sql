-- One row is one figure that differs from the previous release. Filled once the file has been compared.
select
    null::varchar as release_version,
    null::varchar as area_code,
    null::varchar as area_name,
    null::varchar as level,
    null::varchar as indicator_id,
    null::varchar as indicator_title,
    null::varchar as unit,
    null::varchar as period,
    null::integer as year,
    null::varchar as kind,
    null::varchar as cause,
    null::boolean as is_derived,
    null::double as old_value,
    null::double as new_value,
    null::double as difference,
    null::double as difference_percent,
    null::varchar as old_status,
    null::varchar as new_status
where false
