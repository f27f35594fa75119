-- One row is one table, view or column of this file, in the order of the declaration.
select
    table_name,
    column_name,
    position,
    type,
    unit,
    is_key,
    may_be_null,
    meaning
from input_dictionary
