-- One row is one district's figure of one indicator beside that of one comparator, in the latest year that both have.
-- The two errors are treated as independent. A district is part of its comparator, so that is cautious. The typical
-- district is a median of hundreds, so its own error is ignored.
with held as materialized (
    select
        area_code,
        indicator_id,
        comparison_nation,
        level = 'district' as is_district,
        list(year) as years
    from stg_yearly_figure
    group by area_code, indicator_id, comparison_nation, is_district
),

common as materialized (
    -- the latest year in which both have a figure; null if there is none
    select
        district.area_code,
        district.indicator_id,
        belongs.comparator_kind,
        belongs.comparator_code,
        list_max(list_intersect(district.years, other.years)) as year
    from held as district
    inner join stg_comparator as belongs using (area_code)
    inner join held as other
        on
            belongs.comparator_code = other.area_code
            and district.indicator_id = other.indicator_id
            and district.comparison_nation = other.comparison_nation
    where district.is_district and not other.is_district
),

widest as (
    -- of the countries around a district, the widest with a figure in the latest year
    select *
    from common
    qualify
        comparator_kind <> 'country'
        or row_number() over (
            partition by area_code, indicator_id, comparator_kind order by year desc, comparator_code
        ) = 1
),

paired as (
    select
        district.*,
        widest.comparator_kind,
        widest.comparator_code,
        other.value as comparator_value,
        other.lower as comparator_lower,
        other.upper as comparator_upper,
        other.standard_error as comparator_error,
        other.geography_rule as comparator_rule
    from widest
    inner join stg_yearly_figure as district using (area_code, indicator_id, year)
    inner join stg_yearly_figure as other
        on
            widest.comparator_code = other.area_code
            and widest.indicator_id = other.indicator_id
            and widest.year = other.year
    union all by name
    select
        district.*,
        'typical_district' as comparator_kind,
        'typical_district' as comparator_code,
        typical.value as comparator_value,
        'median_of_districts' as comparator_rule
    from stg_yearly_figure as district
    inner join stg_typical as typical using (indicator_id, year, comparison_nation)
    where district.level = 'district'
    qualify
        row_number() over (partition by district.area_code, district.indicator_id order by district.year desc) = 1
),

judged as (
    select
        *,
        value - comparator_value as difference,
        sqrt(standard_error ** 2 + coalesce(comparator_error, 0) ** 2) as difference_error
    from paired
)

select
    judged.area_code,
    district.area_name,
    district.region_name,
    district.nation_name,
    judged.indicator_id,
    indicator.title as indicator_title,
    indicator.unit,
    indicator.polarity,
    judged.comparator_kind,
    judged.comparator_code,
    case
        when judged.comparator_kind <> 'typical_district' then comparator.area_name
        when judged.comparison_nation = '' then 'Typical district of the UK'
        else 'Typical district of ' || district.nation_name
    end as comparator_name,
    judged.year,
    judged.value,
    judged.lower,
    judged.upper,
    judged.status,
    judged.comparator_value,
    judged.comparator_lower,
    judged.comparator_upper,
    judged.comparator_rule,
    judged.comparator_rule in ('as_published', 'published_for_same_area') as is_comparator_published,
    round(judged.difference, 6) as difference,
    if(judged.is_log, round(100 * (judged.value / judged.comparator_value - 1), 4), null) as difference_percent,
    round(judged.difference_error, 6) as difference_standard_error,
    round(
        if(
            judged.difference_error > 0 and judged.polarity <> 0,
            normal_probability(judged.polarity * judged.difference / judged.difference_error),
            null
        ),
        4
    ) as probability_better,
    if(
        judged.polarity = 0,
        null,
        verdict(probability_better, if(judged.difference_error > 0, 1, 0), 'better', 'worse')
    ) as verdict
from judged
inner join dim_area as district on judged.area_code = district.area_code
inner join dim_indicator as indicator using (indicator_id)
left join dim_area as comparator on judged.comparator_code = comparator.area_code
order by judged.indicator_id, judged.comparator_kind, judged.comparator_code, judged.area_code
