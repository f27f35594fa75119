-- One row is one numeric cell of mart_area_profile: a district, a column name, the number.
select
    area_code,
    unnest(
        [
            {'name': profile_column, 'figure': latest_value},
            {'name': indicator_id || '_year', 'figure': latest_year},
            {'name': indicator_id || '_typical', 'figure': typical_value},
            {'name': indicator_id || '_region', 'figure': regional_value},
            {'name': indicator_id || '_country', 'figure': national_value}
        ],
        recursive := true
    )
from stg_profile
