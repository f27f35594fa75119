-- One row is the label of one area for one window of change, with the probability of each of the four.
select
    label.area_code,
    area.area_name,
    label.framework_id,
    framework.framework_title,
    label.window_years,
    label.year,
    label.label,
    label.probability,
    label.most_probable_label,
    label.probability_growing_and_sharing,
    label.probability_growing_not_sharing,
    label.probability_sharing_not_growing,
    label.probability_neither
from stg_label as label
inner join dim_area as area using (area_code)
inner join stg_framework as framework using (framework_id)
where label.flavour = 'change'
order by label.framework_id, label.window_years, label.year, label.area_code
