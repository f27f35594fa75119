-- One row is the run that made this file.
select
    built_at,
    code_version,
    input_fingerprint
from input_series
