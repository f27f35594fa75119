-- One row is one cell of mart_area_profile that holds words: a district, the name of a column, the words.
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
