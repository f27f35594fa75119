-- One row is one small area with its latest figure, a year's change, and its position in its district.
with numbered as (
    select
        area_code,
        period_start,
        value,
        row_number() over (partition by area_code order by period_start desc) as periods_ago
    from fct_small_area
    where value is not null
),

recent as (
    select
        area_code,
        max(period_start) as period_start,
        max(value) filter (where periods_ago = 1) as latest_value,
        avg(value) as mean_of_latest_12
    from numbered
    where periods_ago <= 12
    group by area_code
),

joined as (
    select
        recent.*,
        area.area_name,
        area.district_code,
        area.district_name,
        before.value as year_before_value
    from recent
    inner join dim_small_area as area using (area_code)
    left join fct_small_area as before
        on recent.area_code = before.area_code and before.period_start = recent.period_start - interval 1 year
)

select
    area_code,
    area_name,
    district_code,
    district_name,
    period_start,
    latest_value,
    year_before_value,
    latest_value - year_before_value as change_on_year,
    round(mean_of_latest_12, 6) as mean_of_latest_12,
    case
        when district_code is not null
            then rank() over (partition by district_code, period_start order by round(mean_of_latest_12, 6) desc)
    end as rank_in_district,
    case
        when district_code is not null then count(*) over (partition by district_code, period_start)
    end as rank_count
from joined
order by area_code
