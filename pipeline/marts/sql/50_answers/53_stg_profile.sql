-- One row is the latest figure of one district and one indicator of the profile, with the profile's statements about
-- it.
select
    trend.area_code,
    trend.indicator_id,
    indicator.profile_column,
    trend.latest_value,
    trend.latest_year,
    trend.typical_value,
    regional.value as regional_value,
    national.comparator_value as national_value,
    case
        when area.is_scored and indicator.polarity <> 0
            then coalesce(trend.rank_lower || ' to ' || trend.rank_upper || ' of ' || trend.rank_count, 'not known')
    end as rank_band,
    trend.direction
from mart_indicator_trend as trend
inner join dim_indicator as indicator using (indicator_id)
inner join dim_area as area using (area_code)
left join stg_yearly_figure as regional
    on
        area.region_code = regional.area_code
        and trend.indicator_id = regional.indicator_id
        and trend.latest_year = regional.year
left join mart_compare as national
    on
        trend.area_code = national.area_code
        and trend.indicator_id = national.indicator_id
        and trend.latest_year = national.year
        and national.comparator_kind = 'country'
where trend.level = 'district' and indicator.profile_column is not null
