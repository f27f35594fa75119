-- Both slopes end in a year with both figures, and each, less the typical district's, is the slope of mart_change where
-- that has a figure in just the same years.
with figure as (
    select area_code, indicator_id::varchar as indicator_id, year
    from fct_observation
    where value is not null
    group by all
),

side as (
    select
        area_code, outcome_id as indicator_id, window_years, first_year, last_year, year_count,
        outcome_growth_percent as growth, typical_outcome_growth_percent as typical
    from mart_pass_through
    union all
    select
        area_code, 'gva_per_hour' as indicator_id, window_years, first_year, last_year, year_count,
        output_growth_percent as growth, typical_output_growth_percent as typical
    from mart_pass_through
),

counted as (
    select
        side.*,
        count(*) filter (where figure.year between last_year - window_years + 1 and last_year) as figures,
        count(*) filter (where figure.year in (first_year, last_year)) as ends
    from side
    inner join figure using (area_code, indicator_id)
    group by all
)

select 'mart_pass_through' as table_name, counted.area_code, counted.indicator_id as name, last_year as year, growth as value
from counted
left join mart_change as change
    on
        counted.area_code = change.area_code
        and counted.indicator_id = change.indicator_id::varchar
        and counted.window_years = change.window_years
        and counted.last_year = change.year
        and change.measure = 'slope'
where
    counted.ends < 2
    or counted.figures < counted.year_count
    or (
        counted.figures = counted.year_count
        and abs(ln(1 + growth / 100) - ln(1 + typical / 100) - change.change) > 0.000002
    )
