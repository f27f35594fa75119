-- One row is one current district, with its latest scores and, for every indicator of the profile, its latest figure
-- beside those of the typical district, its region and the UK, its rank band and its trend.
with score_year as (
    select year
    from stg_latest_year
    where framework_id = default_framework() and flavour = 'level'
),

node as (
    select mart_score.*
    from mart_score
    inner join score_year using (year)
    where
        framework_id = default_framework()
        and flavour = 'level'
        and node_id in ('index', 'growth', 'sharing')
        and level = 'district'
),

headline as (
    select
        area_code,
        max(score) filter (where node_id = 'index') as index_score,
        max(score) filter (where node_id = 'growth') as growth_score,
        max(score_lower) filter (where node_id = 'growth') as growth_score_lower,
        max(score_upper) filter (where node_id = 'growth') as growth_score_upper,
        max(verdict) filter (where node_id = 'growth') as growth_verdict,
        max(weight_with_error) filter (where node_id = 'growth') as growth_weight_with_error,
        max(rank_lower) filter (where node_id = 'growth') as growth_rank_lower,
        max(rank_upper) filter (where node_id = 'growth') as growth_rank_upper,
        max(score) filter (where node_id = 'sharing') as sharing_score,
        max(score_lower) filter (where node_id = 'sharing') as sharing_score_lower,
        max(score_upper) filter (where node_id = 'sharing') as sharing_score_upper,
        max(verdict) filter (where node_id = 'sharing') as sharing_verdict,
        max(weight_with_error) filter (where node_id = 'sharing') as sharing_weight_with_error,
        max(rank_lower) filter (where node_id = 'sharing') as sharing_rank_lower,
        max(rank_upper) filter (where node_id = 'sharing') as sharing_rank_upper,
        max(rank_count) filter (where node_id = 'index') as rank_count
    from node
    group by area_code
),

picture as (
    select
        area_code,
        most_probable_quadrant as quadrant,
        quadrant_probability,
        label as quadrant_label
    from mart_shared_growth
    inner join score_year using (year)
    where framework_id = default_framework() and flavour = 'level'
),

heading as (
    select
        area_code,
        year as change_year,
        growth_score as growth_change_score,
        growth_verdict as growth_change_verdict,
        sharing_score as sharing_change_score,
        sharing_verdict as sharing_change_verdict,
        label as change_label,
        quadrant_probability as change_label_probability
    from mart_shared_growth
    where framework_id = default_framework() and flavour = 'change' and window_years = default_window_years() and is_latest_year
),

figures as (
    pivot stg_profile_number on name using any_value(figure) group by area_code
),

words as (
    pivot stg_profile_words on name using any_value(words) group by area_code
)

select
    area.area_name,
    area.region_name,
    area.nation_name,
    area.combined_authority_name,
    area.is_scored,
    score_year.year as score_year,
    headline.* exclude (area_code),
    picture.* exclude (area_code),
    heading.* exclude (area_code),
    figures.* exclude (area_code),
    words.* exclude (area_code),
    area.area_code
from dim_area as area
cross join score_year
left join headline using (area_code)
left join picture using (area_code)
left join heading using (area_code)
left join figures using (area_code)
left join words using (area_code)
where area.level = 'district'
order by area.area_code
