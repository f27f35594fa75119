-- One row is the label of one area for one window of change, with the probability of each of the four.
select
    label.area_code,
    area.area_name,
    label.framework_id,
    framework.framework_title,
    label.window_years,
    label.year,
    label.label,
    round(label.probability, 4) as probability,
    label.most_probable_label,
    round(label.probability_growing_and_sharing, 4) as probability_growing_and_sharing,
    round(label.probability_growing_not_sharing, 4) as probability_growing_not_sharing,
    round(label.probability_sharing_not_growing, 4) as probability_sharing_not_growing,
    round(label.probability_neither, 4) as probability_neither
from input_label as label
inner join dim_area as area using (area_code)
inner join stg_framework as framework using (framework_id)
where label.window_years is not null
order by label.framework_id, label.window_years, label.year, label.area_code
