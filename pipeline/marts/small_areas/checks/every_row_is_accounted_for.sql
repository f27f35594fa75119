-- The rows read equal those published, set aside and out of scope.
select rows_read, published, set_aside, rows_out_of_scope
from (
    select
        meta_series.rows_read,
        meta_series.rows_out_of_scope,
        (select count(*) from fct_small_area) as published,
        (select count(*) from meta_quarantine) as set_aside
    from meta_series
)
where rows_read <> published + set_aside + rows_out_of_scope
