-- One row is one area at one domain or at the index, in one year and flavour, that lacks pillars which most scored
-- districts
-- have: its score has fewer parts than theirs and does not compare with them.
with pillar as (
    select
        score.area_code,
        score.framework_id,
        score.flavour,
        score.window_years,
        score.year,
        score.node_id as pillar_id,
        node.parent_node_id as domain_id
    from stg_score as score
    inner join input_node as node
        on score.framework_id = node.framework_id and score.node_id = node.node_id
    where score.node_kind = 'pillar'
),

usual as (
    -- pillars that at least half of the domain's scored districts have
    select
        pillar.framework_id,
        pillar.flavour,
        pillar.window_years,
        pillar.year,
        pillar.domain_id,
        pillar.pillar_id
    from pillar
    inner join input_area as area using (area_code)
    inner join (
        select
            score.framework_id,
            score.flavour,
            score.window_years,
            score.year,
            score.node_id as domain_id,
            count(*) as districts
        from stg_score as score
        inner join input_area as area using (area_code)
        where area.is_scored
        group by all
    ) as field using (framework_id, flavour, window_years, year, domain_id)
    where area.is_scored
    group by
        pillar.framework_id,
        pillar.flavour,
        pillar.window_years,
        pillar.year,
        pillar.domain_id,
        pillar.pillar_id,
        field.districts
    having 2 * count(*) >= field.districts
),

expected as (
    -- the pillars that each score of a domain, and of the index above it, should include
    select
        score.area_code,
        score.framework_id,
        score.flavour,
        score.window_years,
        score.year,
        score.node_id,
        usual.pillar_id
    from stg_score as score
    inner join usual
        on
            score.framework_id = usual.framework_id
            and score.flavour = usual.flavour
            and score.window_years = usual.window_years
            and score.year = usual.year
            and (score.node_id = usual.domain_id or score.depth = 0)
    where score.node_kind in ('index', 'domain')
)

select
    expected.area_code,
    expected.framework_id,
    expected.flavour,
    expected.window_years,
    expected.year,
    expected.node_id,
    string_agg(node.title, '; ' order by node.position) as missing_pillars
from expected
anti join pillar using (area_code, framework_id, flavour, window_years, year, pillar_id)
inner join input_node as node
    on expected.framework_id = node.framework_id and expected.pillar_id = node.node_id
group by all
