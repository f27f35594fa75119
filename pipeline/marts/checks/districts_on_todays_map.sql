-- The districts of dim_area are exactly those in force today in the register, each once.
with shown as (
    select area_code
    from dim_area
    where level = 'district'
),

in_force as (
    select area_code
    from dim_area_history
    where level = 'district' and is_current
)

select area_code, 'is not in the file' as problem
from in_force
anti join shown using (area_code)
union all
select area_code, 'is not in force today' as problem
from shown
anti join in_force using (area_code)
