-- One row is one indicator, with a summary of the figures held.
with district_figure as (
    select observation.indicator_id, observation.area_code, observation.year, observation.standard_error
    from input_observation as observation
    inner join input_area as area using (area_code)
    where area.level = 'district' and observation.value is not null
),

span as (
    select indicator_id, min(year) as first_year, max(year) as last_year
    from district_figure
    group by indicator_id
),

latest as (
    select
        district_figure.indicator_id,
        count(distinct district_figure.area_code) as district_count,
        count(district_figure.standard_error) as with_error_count
    from district_figure
    inner join span
        on district_figure.indicator_id = span.indicator_id and district_figure.year = span.last_year
    group by district_figure.indicator_id
),

held as (
    select indicator_id, count(*) as observation_count
    from input_observation
    group by indicator_id
)

select
    indicator.indicator_id,
    indicator.title,
    indicator.short_title,
    indicator.description,
    indicator.theme,
    indicator.unit,
    indicator.decimals,
    indicator.polarity,
    indicator.transform,
    indicator.kind,
    indicator.publisher,
    indicator.frequency,
    indicator.nations,
    indicator.levels,
    indicator.intervals,
    -- for the latest year: a published error, else the one that scores use instead, else why there is none
    case
        when indicator.is_error_published and coalesce(latest.with_error_count, 0) > 0 then 'published'
        when process.error_kind in ('from_vintages', 'modelled') then process.error_kind
        when indicator.is_error_published then 'published_not_held'
        else 'not_published'
    end as error_status,
    indicator.error_note,
    indicator.minimum_plausible,
    indicator.maximum_plausible,
    indicator.is_computed,
    indicator.caveats,
    indicator.series_breaks,
    indicator.licence,
    indicator.citation_url,
    indicator.profile_column,
    indicator.publisher_unit,
    indicator.publisher_caveats,
    indicator.publisher_updated,
    span.first_year,
    span.last_year,
    latest.district_count,
    coalesce(held.observation_count, 0) as observation_count
from input_indicator as indicator
left join span using (indicator_id)
left join latest using (indicator_id)
left join held using (indicator_id)
left join input_error_process as process using (indicator_id)
order by indicator.position
