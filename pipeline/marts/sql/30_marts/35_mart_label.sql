-- One row is the label of one area for one window, with the probability of each of the four.
select
    label.area_code,
    area.area_name,
    label.framework_id,
    label.window_years,
    label.year,
    label.label,
    label.probability,
    label.most_probable_label,
    label.probability_growing_and_sharing,
    label.probability_growing_not_sharing,
    label.probability_sharing_not_growing,
    label.probability_neither
from input_label as label
inner join dim_area as area using (area_code)
order by label.framework_id, label.window_years, label.year, label.area_code
