-- One row is the latest figure of one area and indicator, with where the area lies and who publishes the figure.
select
    trend.area_code,
    trend.area_name,
    trend.level,
    area.region_name,
    area.nation_name,
    area.county_name,
    area.combined_authority_name,
    trend.indicator_id,
    trend.indicator_title,
    trend.theme,
    trend.latest_year as year,
    trend.latest_value as value,
    trend.latest_lower as lower,
    trend.latest_upper as upper,
    trend.latest_status as status,
    trend.typical_value,
    trend.verdict,
    trend.direction,
    trend.direction_verdict,
    indicator.decimals,
    trend.unit,
    trend.polarity,
    indicator.error_status,
    indicator.publisher,
    indicator.citation_url,
    indicator.caveats
from mart_indicator_trend as trend
inner join dim_area as area on trend.area_code = area.area_code
inner join dim_indicator as indicator on trend.indicator_id = indicator.indicator_id
