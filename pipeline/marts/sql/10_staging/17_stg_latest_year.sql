-- One row is one framework, flavour and window, with the latest year in which its index could be scored.
select
    framework_id,
    flavour,
    window_years,
    max(year) as year
from stg_score
where depth = 0
group by framework_id, flavour, window_years
