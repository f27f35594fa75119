-- One row is one thing added, removed or changed in one release. Filled once the file has been compared.
select
    null::varchar as release_version,
    null::integer as position,
    null::varchar as subject,
    null::varchar as change,
    null::varchar as subject_id,
    null::varchar as description,
    null::bigint as row_count
where false
