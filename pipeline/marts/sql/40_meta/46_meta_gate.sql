-- One row is one thing in which this file differs from the one it replaced by more than a gate allows. It is filled once the
-- file stands and has been held against the live one.
select
    null::integer as finding_id,
    null::varchar as gate_id,
    null::varchar as severity,
    null::varchar as subject,
    null::double as measured,
    null::double as allowed,
    null::varchar as sentence
where false
