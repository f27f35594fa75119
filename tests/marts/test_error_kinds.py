"""Where the error of every scored figure comes from, in the published file."""

from __future__ import annotations

import re
from collections.abc import Callable

from pipeline.published import wording

Rows = Callable[..., list[tuple]]


def test_no_scored_indicator_of_shared_growth_is_without_an_error_in_any_flavour_window_or_year(rows: Rows) -> None:
    scored = rows(
        """select flavour, indicator_id, year, error_kind, districts_with_error from mart_gate
        where framework_id = 'shared_growth' and is_scored and districts > 0"""
    )
    assert {flavour for flavour, *_ in scored} == {"level", "change"}
    assert len({name for _, name, *_ in scored}) == 12
    assert [row for row in scored if row[3] == "none" or row[4] == 0] == []


def test_no_score_of_a_district_says_not_known_in_the_latest_year(rows: Rows) -> None:
    """Pay in Northern Ireland and merged districts publish no error: what is usual for their size stands in for it."""
    found = rows(
        """select verdict::varchar = 'not known' as is_unknown, count(*) from mart_score
        where framework_id = 'shared_growth' and level = 'district' and is_latest_year group by all"""
    )
    assert len(found) == 1
    assert found[0][0] is False
    assert found[0][1] > 9000
    kinds = rows(
        """select error_kind::varchar, count(*) from mart_score
        where node_id = 'pay_median_weekly' and flavour = 'level' and year = 2025 and level = 'district'
        and framework_id = 'shared_growth' group by all order by all"""
    )
    assert kinds == [("modelled", 11), ("published", 348)]


def test_what_the_jrf_monitor_lacks_is_output_per_job_and_single_years_of_qualifications(rows: Rows) -> None:
    found = rows(
        """select indicator_id, min(year), max(year) from mart_gate
        where framework_id = 'jrf_monitor' and flavour = 'level' and is_scored and districts > 0 and error_kind = 'none'
        group by indicator_id order by indicator_id"""
    )
    assert found == [("gva_per_job", 2009, 2025), ("level3_qualifications_rate", 2016, 2021)]


def test_deprivation_has_a_modelled_error_in_every_district_with_a_figure(rows: Rows) -> None:
    found = rows(
        """select indicator_id, error_kind, min(districts - districts_with_error), max(districts - districts_with_error),
        max(districts) from mart_gate where indicator_id like 'income_deprivation%' and districts > 0
        group by all order by all"""
    )
    assert found == [
        ("income_deprivation_concentration", "modelled", 0, 0, 359),
        ("income_deprivation_gap", "modelled", 0, 0, 359),
    ]


def test_the_break_between_the_indices_of_2019_and_2025_is_no_error(rows: Rows) -> None:
    """The English gap of 2025 is nearly twice that of 2019; its error is a fraction of a point."""
    [(median,)] = rows("select median_error from mart_error_process where indicator_id = 'income_deprivation_gap'")
    assert 0.5 < median < 0.8


def test_the_weights_by_kind_add_up_to_the_known_weight_at_every_node(rows: Rows) -> None:
    [(count, off, outside)] = rows(
        """select count(*), max(abs(weight_published + weight_from_vintages + weight_modelled - weight_with_error)),
        count(*) filter (least(weight_published, weight_from_vintages, weight_modelled) < 0) from mart_score"""
    )
    assert count > 500_000
    assert off < 3e-6
    assert outside == 0


def test_an_indicator_s_kind_is_where_its_weight_is_and_higher_nodes_have_none(rows: Rows) -> None:
    found = rows(
        """select error_kind, weight_published, weight_from_vintages, weight_modelled from mart_score
        where node_kind = 'indicator' group by all order by all"""
    )
    assert found == [("from_vintages", 0, 1, 0), ("modelled", 0, 0, 1), ("none", 0, 0, 0), ("published", 1, 0, 0)]
    assert rows("select count(*) from mart_score where node_kind <> 'indicator' and error_kind is not null") == [(0,)]
    assert rows("select count(*) from mart_score where node_kind = 'indicator' and error_kind is null") == [(0,)]


def test_the_kinds_of_a_score_are_those_of_its_indicators_by_weight(rows: Rows) -> None:
    """Growth is output and income (revisions) and pay (published), a third each; Preston has all three."""
    [growth] = rows(
        """select weight_published, weight_from_vintages, weight_modelled, weight_with_error from mart_score
        where area_name = 'Preston' and framework_id = 'shared_growth' and node_id = 'growth' and flavour = 'level'
        and is_latest_year"""
    )
    assert [round(share, 4) for share in growth] == [0.3333, 0.6667, 0, 1]
    [sharing] = rows(
        """select weight_published, weight_from_vintages, weight_modelled from mart_score
        where area_name = 'Preston' and framework_id = 'shared_growth' and node_id = 'sharing' and flavour = 'level'
        and is_latest_year"""
    )
    # Spread of pay, poverty and cost, place, and claimants as one of three of participation.
    assert [round(share, 4) for share in sharing] == [0.1667, 0, 0.8333]


def test_the_status_of_an_indicator_is_the_kind_of_error_that_scores_use(rows: Rows) -> None:
    """For every indicator with a kind: published where its latest figures have a published error, else that kind."""
    found = dict(rows("select indicator_id, error_status from dim_indicator"))
    kinds = dict(rows("select indicator_id, error_kind from mart_error_process where error_kind <> 'none'"))
    assert {found[name] for name, kind in kinds.items() if kind == "published"} == {"published"}
    assert {name: found[name] for name in kinds} == kinds
    assert found["gva_per_hour"] == "from_vintages"
    assert found["pay_p20_to_p50_annual"] == "modelled"  # published, but not held
    assert found["pay_annual_p20"] == "published_not_held"
    assert found["imd_average_score"] == "not_published"


def test_every_status_has_words_and_no_note_denies_an_error_that_scores_use(rows: Rows) -> None:
    statuses = {status for (status,) in rows("select distinct error_status from dim_indicator")}
    assert statuses == {"published", "from_vintages", "modelled", "published_not_held", "not_published"}
    assert len({wording.error_words(status) for status in statuses} | {wording.error_words(None)}) == 6
    notes = rows("select error_note from dim_indicator where error_status in ('from_vintages', 'modelled')")
    assert len(notes) >= 8
    assert [note for (note,) in notes if not re.search(r"stands? in for", note)] == []
