-- One row is the joint label of growth and sharing of one area, window and year; the level has window 0. If less than
-- half
-- of the weight of growth or of sharing has a known error, the label is "not known" and the probability is null.
with half as (
    select
        score.framework_id,
        score.flavour,
        score.window_years,
        score.year,
        score.area_code,
        bool_and(score.probability_above_typical is not null) as is_known
    from stg_score as score
    inner join input_node as node
        on score.framework_id = node.framework_id and score.node_id = node.node_id
    where node.label_role is not null
    group by all
)

select
    label.area_code::area_code as area_code,
    label.framework_id::framework_code as framework_id,
    if(label.window_years is null, 'level', 'change')::flavour_code as flavour,
    coalesce(label.window_years, 0) as window_years,
    label.year,
    if(half.is_known, label.label, 'not known') as label,
    if(half.is_known, round(label.probability, 4), null) as probability,
    if(half.is_known, label.most_probable_label, null) as most_probable_label,
    if(half.is_known, round(label.probability_growing_and_sharing, 4), null) as probability_growing_and_sharing,
    if(half.is_known, round(label.probability_growing_not_sharing, 4), null) as probability_growing_not_sharing,
    if(half.is_known, round(label.probability_sharing_not_growing, 4), null) as probability_sharing_not_growing,
    if(half.is_known, round(label.probability_neither, 4), null) as probability_neither
from input_label as label
inner join half
    on
        label.framework_id = half.framework_id
        and label.area_code = half.area_code
        and label.year = half.year
        and coalesce(label.window_years, 0) = half.window_years
        and half.flavour = if(label.window_years is null, 'level', 'change')
