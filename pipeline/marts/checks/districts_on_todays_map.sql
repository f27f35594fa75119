-- Today's map has 361 local authority districts, no more and no fewer.
select count(*) as districts
from dim_area
where level = 'district'
having count(*) <> 361
