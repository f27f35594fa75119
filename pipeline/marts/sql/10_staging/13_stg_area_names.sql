-- One row is one list of area codes joined by +, as found in some column, with the names of those areas.
with listed as (
    select source_area_codes as area_codes
    from input_observation
    union
    select unnest([predecessor_codes, successor_codes, current_codes]) as area_codes
    from input_area_history
),

code as (
    select
        area_codes,
        unnest(string_split(area_codes, '+')) as area_code,
        generate_subscripts(string_split(area_codes, '+'), 1) as place
    from listed
    where area_codes is not null
),

known as (
    select area_code, area_name
    from input_area_history
    union
    select area_code, area_name
    from input_area
    anti join input_area_history using (area_code)
)

select code.area_codes, string_agg(coalesce(known.area_name, code.area_code), ' + ' order by code.place) as area_names
from code
left join known using (area_code)
group by code.area_codes
