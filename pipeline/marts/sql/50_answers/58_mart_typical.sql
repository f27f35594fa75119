-- One row is the typical district of one indicator and year: median, 10th and 90th percentile of the scored districts,
-- over
-- the UK, or over one nation if the nations measure the indicator differently.
select
    typical.indicator_id,
    indicator.title as indicator_title,
    typical.year,
    typical.comparison_nation as nation_code,
    nation.area_name as nation_name,
    typical.value as typical_value,
    typical.tenth_percentile,
    typical.ninetieth_percentile,
    typical.district_count
from stg_typical as typical
inner join dim_indicator as indicator using (indicator_id)
left join dim_area as nation on typical.comparison_nation = nation.area_code
order by typical.indicator_id, typical.comparison_nation, typical.year
