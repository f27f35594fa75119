-- Every published figure names a payload that meta_source lists.
with used as (
    select distinct unnest(string_split(payload_sha256, '+')) as payload_sha256
    from fct_observation
)

select used.payload_sha256
from used
anti join meta_source using (payload_sha256)
