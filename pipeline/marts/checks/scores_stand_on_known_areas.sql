-- Every score belongs to an area of dim_area, and no unscored district has one.
select score.area_code, score.node_id, score.year
from mart_score as score
left join dim_area as area using (area_code)
where area.area_code is null or (area.level = 'district' and not area.is_scored)
