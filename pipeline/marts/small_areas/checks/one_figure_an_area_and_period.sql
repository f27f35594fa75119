-- No area has two figures for a period.
select area_code, period_start
from fct_small_area
group by area_code, period_start
having count(*) > 1
