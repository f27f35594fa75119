"""Every verdict, rank and probability of the file follows from its own columns, and none rests on thin evidence."""

from __future__ import annotations

from collections.abc import Callable

Rows = Callable[..., list[tuple]]


def test_every_verdict_of_the_file_follows_from_its_probability_and_its_evidence(rows: Rows) -> None:
    words = {
        word: (start, end)
        for word, start, end in rows("select verdict, probability_from, probability_to from meta_verdict")
    }
    assert list(words) == ["clearly", "probably", "cannot say", "not known"]
    clearly, probably = words["clearly"][0], words["probably"][0]
    wrong = rows(
        """
        with judged as (
            select verdict, weight_with_error, score_lower, rank, probability_top_fifth, sure_fifth,
                probability_above_typical as p
            from mart_score
        )
        select * from judged
        where verdict is distinct from case
            when score_lower is null or weight_with_error < 0.5 - 1e-6 then 'not known'
            when p >= $clearly then 'clearly above'
            when p <= 1 - $clearly then 'clearly below'
            when p >= $probably then 'probably above'
            when p <= 1 - $probably then 'probably below'
            else 'cannot say'
        end
        or (verdict = 'not known' and (rank is not null or p is not null or sure_fifth is not null))
        """.replace("$clearly", str(clearly)).replace("$probably", str(probably))
    )
    assert wrong == []
    kinds = {kind for (kind,) in rows("select distinct verdict from mart_score where node_kind = 'pillar'")}
    assert len(kinds) == 6, "all verdicts are in use"


def test_no_rank_and_nothing_sure_stands_on_less_than_half_of_the_evidence(rows: Rows) -> None:
    thin = "weight_with_error < 0.5 - 1e-6"
    assert rows(f"select count(*) from mart_score where {thin}")[0][0] > 50_000
    assert rows(
        f"select count(*) from mart_score where {thin} and (rank is not null or verdict <> 'not known' "
        "or probability_above_typical is not null)"
    ) == [(0,)]
    assert rows(
        "select count(*) from mart_shared_growth where (growth_weight_with_error < 0.4999 or sharing_weight_with_error "
        "< 0.4999) and label is not null and label <> 'not known'"
    ) == [(0,)]
    assert rows(
        "select count(*) from mart_fifth as fifth where basis = 'draws' and sure_count > 0 and weight_with_error < 0.3"
    ) == [(0,)]


def test_a_wider_area_without_a_districts_pillar_says_which(rows: Rows) -> None:
    [(missing,)] = rows(
        "select missing_pillars from latest_score where area_name = 'Core Cities' and framework_id = 'shared_growth' "
        "and flavour = 'level' and node_id = 'sharing'"
    )
    assert missing == "Spread of pay; Concentration of deprivation within the place"
    assert rows(
        "select count(*) from latest_score where level = 'region' and framework_id = 'shared_growth' "
        "and flavour = 'level' and node_id = 'growth' and missing_pillars is not null"
    ) == [(0,)]


def test_an_interval_on_one_side_of_fifty_has_a_clear_verdict_of_that_side(rows: Rows) -> None:
    [(known, crossing)] = rows(
        """
        select
            count(*),
            count(*) filter (
                where (score_lower > 50 and verdict <> 'clearly above')
                or (score_upper < 50 and verdict <> 'clearly below')
            )
        from mart_score
        where verdict <> 'not known'
        """
    )
    assert known > 100_000
    assert crossing < 0.002 * known, "an interval ends between two draws, a probability counts them"
