-- One row is one text cell of mart_area_profile: a district, a column name, the text.
select
    area_code,
    unnest(
        [
            {'name': indicator_id || '_rank_band', 'words': rank_band},
            {'name': indicator_id || '_trend', 'words': direction}
        ],
        recursive := true
    )
from stg_profile
