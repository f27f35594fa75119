-- One row is the series this file holds, where it came from, and how many of its rows were read.
select * exclude (built_at, code_version, input_fingerprint)
from input_series
