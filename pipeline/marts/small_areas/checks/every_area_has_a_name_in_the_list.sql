-- Every figure belongs to an area in dim_small_area.
select distinct area_code
from fct_small_area
anti join dim_small_area using (area_code)
