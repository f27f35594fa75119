-- One row is what one member adds to the score of the node above it, in one area, year and flavour.
select
    contribution.area_code,
    area.area_name,
    contribution.framework_id,
    contribution.flavour,
    contribution.year,
    coalesce(contribution.window_years, 0) as window_years,
    contribution.node_id,
    contribution.member_id,
    contribution.aggregate,
    round(contribution.member_score, 9) as member_score,
    contribution.weight,
    round(contribution.contribution, 9) as contribution
from input_contribution as contribution
inner join dim_area as area using (area_code)
order by
    contribution.framework_id,
    contribution.flavour,
    contribution.window_years,
    contribution.year,
    contribution.node_id,
    contribution.member_id,
    contribution.area_code
