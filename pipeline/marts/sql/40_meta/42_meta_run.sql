-- One row is the run that made this file.
select
    input_run.run_id,
    input_run.started_at,
    input_run.built_at,
    input_run.code_version,
    input_run.input_fingerprint,
    input_run.draw_count,
    input_run.is_thorough,
    input_run.python_version,
    input_run.duckdb_version,
    (select count(*) from fct_observation) as observation_count,
    input_run.rows_read,
    (select count(*) from meta_quarantine) as rows_set_aside,
    input_run.rows_out_of_scope,
    input_run.rows_collapsed
from input_run
