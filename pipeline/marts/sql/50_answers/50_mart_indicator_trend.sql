-- One row is one indicator in one area: where it began, where it is, and how it moved against the typical district.
-- Least-squares slopes cover the ten years to the latest figure, and need at least five figures. A break in the series
-- restarts everything: figures on a different basis from the latest are ignored.
with series as (
    select
        figure.*,
        typical.value as typical_value,
        if(figure.is_log, ln(figure.value / typical.value), figure.value - typical.value) as position
    from stg_yearly_figure as figure
    left join stg_typical as typical using (indicator_id, year, comparison_nation)
),

unbroken as (
    select *
    from series
    qualify basis = max(basis) over (partition by area_code, indicator_id)
),

span as (
    select
        area_code,
        indicator_id,
        min(year) as first_year,
        max(year) as latest_year,
        count(*) as year_count
    from unbroken
    group by area_code, indicator_id
),

fitted as (
    -- In year order: threads add up in any order, and a different last bit must not turn equal figures into a new
    -- release.
    select
        unbroken.area_code,
        unbroken.indicator_id,
        regr_slope(unbroken.position, unbroken.year - span.latest_year order by unbroken.year) as slope
    from unbroken
    inner join span using (area_code, indicator_id)
    where unbroken.year > span.latest_year - 10 and unbroken.position is not null
    group by unbroken.area_code, unbroken.indicator_id
    having count(*) >= 5
),

scored as (
    -- ranks with their intervals, from the default framework if it scores the indicator; no rank without a known error
    select
        area_code,
        node_id as indicator_id,
        year,
        rank,
        rank_count,
        rank_lower,
        rank_upper
    from mart_score
    where flavour = 'level' and node_kind = 'indicator' and rank is not null and not is_carried_forward
    qualify
        row_number() over (
            partition by area_code, node_id, year order by framework_id = default_framework() desc
        ) = 1
),

moved as (
    select *
    from mart_change
    where measure = 'difference'
),

sloped as (
    -- the slope as scored that ends with the area's latest figure
    select mart_change.*
    from mart_change
    inner join span
        on
            mart_change.area_code = span.area_code
            and mart_change.indicator_id = span.indicator_id
            and mart_change.year = span.latest_year
    where mart_change.measure = 'slope' and mart_change.window_years = 10
),

judged as (
    -- a slope without a known error is judged by how far a series without drift would stray
    select
        span.area_code,
        span.indicator_id,
        coalesce(sloped.change, fitted.slope) as slope,
        direction.slope_error,
        direction.error_kind as error_basis,
        sloped.reliability as slope_reliability,
        -- rounded here, so that the direction is that of the probability as printed
        round(
            case
                when direction.slope_error > 0
                    then normal_probability(
                        if(
                            direction.freedom is null,
                            measured.polarity * fitted.slope / direction.slope_error,
                            normal_of_student(measured.polarity * fitted.slope / direction.slope_error, direction.freedom)
                        )
                    )
            end,
            4
        ) as probability_improved
    from span
    inner join stg_measure as measured using (indicator_id)
    left join fitted using (area_code, indicator_id)
    left join sloped using (area_code, indicator_id)
    left join input_direction as direction
        on span.area_code = direction.area_code and span.indicator_id = direction.indicator_id
    where measured.polarity <> 0
)

select
    span.area_code,
    area.area_name,
    area.level,
    area.region_name,
    area.nation_name,
    span.indicator_id,
    indicator.title as indicator_title,
    indicator.theme,
    indicator.unit,
    indicator.polarity,
    if(indicator.transform = 'log_ratio', 'per cent', 'points') as change_unit,
    span.year_count,
    span.first_year,
    first.value as first_value,
    first.lower as first_lower,
    first.upper as first_upper,
    span.latest_year,
    latest.value as latest_value,
    latest.lower as latest_lower,
    latest.upper as latest_upper,
    latest.status as latest_status,
    latest.typical_value,
    round(if(latest.is_log, 100 * (latest.value / latest.typical_value - 1), latest.position), 4) as against_typical,
    verdict(
        if(
            latest.standard_error > 0,
            normal_probability((latest.value - latest.typical_value) / latest.standard_error),
            null
        ),
        1,
        'above',
        'below'
    ) as verdict,
    scored.rank,
    scored.rank_count,
    scored.rank_lower,
    scored.rank_upper,
    round(in_change_unit(latest.is_log, latest.value, year_1.value), 4) as change_1_year,
    round(in_change_unit(latest.is_log, latest.value, year_5.value), 4) as change_5_years,
    round(in_change_unit(latest.is_log, latest.value, year_10.value), 4) as change_10_years,
    round(as_change(latest.is_log, latest.position - year_1.position), 4) as relative_change_1_year,
    round(as_change(latest.is_log, moved_1.change_lower), 4) as relative_change_1_year_lower,
    round(as_change(latest.is_log, moved_1.change_upper), 4) as relative_change_1_year_upper,
    round(moved_1.reliability, 4) as relative_change_1_year_reliability,
    round(as_change(latest.is_log, latest.position - year_5.position), 4) as relative_change_5_years,
    round(as_change(latest.is_log, moved_5.change_lower), 4) as relative_change_5_years_lower,
    round(as_change(latest.is_log, moved_5.change_upper), 4) as relative_change_5_years_upper,
    round(moved_5.reliability, 4) as relative_change_5_years_reliability,
    round(as_change(latest.is_log, latest.position - year_10.position), 4) as relative_change_10_years,
    round(as_change(latest.is_log, moved_10.change_lower), 4) as relative_change_10_years_lower,
    round(as_change(latest.is_log, moved_10.change_upper), 4) as relative_change_10_years_upper,
    round(moved_10.reliability, 4) as relative_change_10_years_reliability,
    round(as_change(latest.is_log, judged.slope), 4) as slope,
    round(as_change(latest.is_log, judged.slope - 1.645 * judged.slope_error), 4) as slope_lower,
    round(as_change(latest.is_log, judged.slope + 1.645 * judged.slope_error), 4) as slope_upper,
    round(judged.slope_reliability, 4) as slope_reliability,
    judged.error_basis,
    judged.probability_improved,
    case
        when indicator.polarity = 0 then null
        when judged.probability_improved >= clearly_from() then 'improving'
        when judged.probability_improved <= 1 - clearly_from() then 'worsening'
        else 'not clear'
    end as direction,
    if(
        indicator.polarity = 0, null, verdict(judged.probability_improved, 1, 'improving', 'worsening')
    ) as direction_verdict
from span
inner join dim_area as area using (area_code)
inner join dim_indicator as indicator using (indicator_id)
inner join unbroken as first
    on span.area_code = first.area_code and span.indicator_id = first.indicator_id and span.first_year = first.year
inner join unbroken as latest
    on span.area_code = latest.area_code and span.indicator_id = latest.indicator_id and span.latest_year = latest.year
left join judged on span.area_code = judged.area_code and span.indicator_id = judged.indicator_id
left join scored
    on span.area_code = scored.area_code and span.indicator_id = scored.indicator_id and span.latest_year = scored.year
left join unbroken as year_1
    on
        span.area_code = year_1.area_code
        and span.indicator_id = year_1.indicator_id
        and span.latest_year - 1 = year_1.year
left join unbroken as year_5
    on
        span.area_code = year_5.area_code
        and span.indicator_id = year_5.indicator_id
        and span.latest_year - 5 = year_5.year
left join unbroken as year_10
    on
        span.area_code = year_10.area_code
        and span.indicator_id = year_10.indicator_id
        and span.latest_year - 10 = year_10.year
left join moved as moved_1
    on
        span.area_code = moved_1.area_code
        and span.indicator_id = moved_1.indicator_id
        and span.latest_year = moved_1.year
        and moved_1.window_years = 1
left join moved as moved_5
    on
        span.area_code = moved_5.area_code
        and span.indicator_id = moved_5.indicator_id
        and span.latest_year = moved_5.year
        and moved_5.window_years = 5
left join moved as moved_10
    on
        span.area_code = moved_10.area_code
        and span.indicator_id = moved_10.indicator_id
        and span.latest_year = moved_10.year
        and moved_10.window_years = 10
order by span.indicator_id, span.area_code
