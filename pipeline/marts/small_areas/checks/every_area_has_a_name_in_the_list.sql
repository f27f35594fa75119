-- Every figure is of an area that dim_small_area lists.
select distinct area_code
from fct_small_area
anti join dim_small_area using (area_code)
