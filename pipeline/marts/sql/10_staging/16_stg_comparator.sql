-- One row is one wider area or named group that a current district is compared with.
select area_code, 'region' as comparator_kind, region_code as comparator_code
from input_area
where level = 'district' and region_code <> nation_code
union all
select area_code, 'nation' as comparator_kind, nation_code as comparator_code
from input_area
where level = 'district'
union all
select area_code, 'county' as comparator_kind, county_code as comparator_code
from input_area
where level = 'district' and county_code is not null
union all
select area_code, 'combined_authority' as comparator_kind, combined_authority_code as comparator_code
from input_area
where level = 'district' and combined_authority_code is not null
union all
select district.area_code, 'country' as comparator_kind, country.area_code as comparator_code
from input_area as district
inner join (
    values
        ('K02000001', ['E92000001', 'W92000004', 'S92000003', 'N92000002']),
        ('K03000001', ['E92000001', 'W92000004', 'S92000003']),
        ('K04000001', ['E92000001', 'W92000004'])
) as country (area_code, nation_codes) on list_contains(country.nation_codes, district.nation_code)
where district.level = 'district'
union all
select area_code, 'group' as comparator_kind, group_id as comparator_code
from input_area_group
