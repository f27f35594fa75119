-- One row is one cell of mart_area_profile: a district, the name of a column, and its figure or the figure's year.
select
    latest.area_code,
    indicator.profile_column as column_name,
    latest.value as figure
from stg_latest_figure as latest
inner join input_indicator as indicator using (indicator_id)
union all
select
    area_code,
    indicator_id || '_year' as column_name,
    year as figure
from stg_latest_figure
