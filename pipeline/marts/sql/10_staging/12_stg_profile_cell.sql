-- One row is one cell of mart_area_profile: a district, the name of a column, and its figure or the figure's year.
select
    latest.area_code,
    indicator.profile_column as column_name,
    latest.value as figure
from stg_latest_figure as latest
inner join input_indicator as indicator using (indicator_id)
where indicator.profile_column is not null
union all
select
    latest.area_code,
    latest.indicator_id || '_year' as column_name,
    latest.year as figure
from stg_latest_figure as latest
inner join input_indicator as indicator using (indicator_id)
where indicator.profile_column is not null
