"""The shipped frameworks pass their audit on the shipped figures, and every note in their files is needed."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.catalogue.frameworks import DEFAULT_FRAMEWORKS, load_framework

Rows = Callable[..., list[tuple]]


def test_no_shipped_framework_fails_its_audit(rows: Rows) -> None:
    judged = dict(rows("select framework_id, count(*) from mart_audit where limit_value is not null group by 1"))
    assert min(judged[name] for name in DEFAULT_FRAMEWORKS) > 50
    assert rows("select framework_id, member_id, other_id, value, note from mart_audit where is_failure") == []


def test_every_note_explains_a_pair_above_its_limit(rows: Rows) -> None:
    assert rows("select member_id, other_id from mart_audit where statistic = 'unneeded_note'") == []
    explained = {
        (framework, frozenset(pair))
        for framework, *pair in rows(
            "select framework_id, member_id, other_id from mart_audit where abs(value) > limit_value and is_flagged"
        )
    }
    written = {(name, frozenset(note.pair)) for name in DEFAULT_FRAMEWORKS for note in load_framework(name).audit.notes}
    assert explained == written


def test_output_and_sharing_are_far_below_the_limit_over_ten_years(rows: Rows) -> None:
    found = rows(
        "select value from mart_audit where framework_id = 'shared_growth' and flavour = 'change' and window_years = 10 "
        "and statistic = 'rank_correlation_across_domains' and 'productivity' in (member_id, other_id)"
    )
    assert len(found) == 3
    assert all(abs(value) < 0.3 for (value,) in found)


def test_effective_weights_of_every_year_sum_to_one(rows: Rows) -> None:
    sums = rows(
        "select sum(value) from mart_audit where statistic = 'effective_weight' "
        "group by framework_id, flavour, window_years, year"
    )
    assert len(sums) > 60
    assert all(abs(total - 1) < 1e-9 for (total,) in sums)
