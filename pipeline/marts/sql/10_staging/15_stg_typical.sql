-- One row is the typical district of one indicator and year: the median of the scored districts that have a figure.
select
    indicator_id,
    year,
    comparison_nation,
    median(value) as value
from stg_yearly_figure
where level = 'district' and is_scored
group by indicator_id, year, comparison_nation
