-- One row is the latest figure of one district and indicator; withheld and missing figures are passed over.
select
    area_code,
    indicator_id,
    value,
    year,
    status
from input_observation
where value is not null
qualify row_number() over (partition by area_code, indicator_id order by period_end desc, period_start desc) = 1
