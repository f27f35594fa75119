-- One row is the typical district of one indicator and year: the median of the scored districts with a figure.
select
    indicator_id,
    year,
    comparison_nation,
    median(value) as value,
    quantile_cont(value, 0.1) as tenth_percentile,
    quantile_cont(value, 0.9) as ninetieth_percentile,
    count(*) as district_count
from stg_yearly_figure
where level = 'district' and is_scored
group by indicator_id, year, comparison_nation
