-- One row is one difference from the file that this one replaced, larger than a gate allows. Filled once the file is
-- complete and has been compared with the live one.
select
    null::integer as finding_id,
    null::varchar as gate_id,
    null::varchar as severity,
    null::varchar as subject,
    null::double as measured,
    null::double as allowed,
    null::varchar as sentence
where false
