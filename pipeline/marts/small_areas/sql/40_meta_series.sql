-- One row is the series in this file, its source, and how many of its rows were read.
select * exclude (built_at, code_version, input_fingerprint)
from input_series
