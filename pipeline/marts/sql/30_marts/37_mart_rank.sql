-- One row is the confidence set for the rank of one district on one indicator, in its latest year.
select
    rank_set.area_code,
    area.area_name,
    rank_set.framework_id,
    framework.framework_title,
    rank_set.indicator_id,
    indicator.title as indicator_title,
    rank_set.year,
    rank_set.coverage,
    rank_set.rank,
    rank_set.rank_count,
    rank_set.rank_lower,
    rank_set.rank_upper,
    rank_set.rank_lower_simultaneous,
    rank_set.rank_upper_simultaneous
from input_rank_set as rank_set
inner join dim_area as area using (area_code)
inner join stg_framework as framework using (framework_id)
inner join dim_indicator as indicator using (indicator_id)
order by rank_set.framework_id, rank_set.indicator_id, rank_set.area_code
