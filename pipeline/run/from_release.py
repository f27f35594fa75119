"""The figures of the newest release, where no answer as new as theirs is held any more: older never replaces newer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from pipeline.catalogue import Indicator, Part
from pipeline.http.payload import PayloadRejected
from pipeline.publishers.baseline.shipped_figures import ShippedFile
from pipeline.run.results import Account, Attempt, PartResult
from pipeline.run.stores import Stores

if TYPE_CHECKING:  # reading figures takes pandas, which a run that finds nothing new does without
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from pipeline.geography import Register
    from pipeline.run.published_before import PublishedBefore, PublishedPart
    from pipeline.run.results import Accepted


_SAME_FIGURE = ["indicator_id", "area_code", "period", "payload_sha256"]
_KEPT = ("lower", "upper", "standard_error", "geography_rule", "source_area_codes")
_ONLY_THE_CODE = ("same_area", "relabel", "boundary_change")


def published_part(stores: Stores, indicator: Indicator, part: Part) -> tuple[PublishedBefore, PublishedPart] | None:
    """The newest release and where it has a part's figures from; None where no publisher gave them or is asked now."""
    before = stores.published_before if part.live else None
    published = None if before is None else before.parts.get((indicator.id, part.id))
    return None if before is None or published is None else (before, published)


def published_figures(
    before: PublishedBefore, register: Register, indicator: Indicator, part: Part, published: PublishedPart
) -> Accepted:
    """A part's figures in the newest release, checked again. Raises PayloadRejected where they cannot be read or used."""
    from pipeline.run.payload_checks import accept_published

    if published.source_id not in {query.source for query in part.live}:
        raise PayloadRejected(f"they are of {published.source_id}, which the catalogue does not ask any more")
    figures = figures_of(before, indicator, published.payload_sha256)
    return accept_published(register, indicator, part, figures, published)


def figures_of(before: PublishedBefore, indicator: Indicator, payload_sha256: str | None = None) -> pd.DataFrame:
    """An indicator's figures in the newest release, or those of one payload, with how they came onto its map.

    A figure that was only given another code has its publisher's, so that it goes the way it went then. Raises
    PayloadRejected where they cannot be read, or the catalogue means something else by the indicator since.
    """
    import duckdb

    if before.meanings.get(indicator.id) != (indicator.title, indicator.unit, indicator.description, indicator.kind):
        raise PayloadRejected("the catalogue describes the indicator in other words since")
    try:
        figures = before.figures(indicator.id, payload_sha256)
    except duckdb.Error as error:
        raise PayloadRejected(f"they cannot be read ({str(error).splitlines()[0]})") from error
    codes = figures["area_code"].where(~figures["geography_rule"].isin(_ONLY_THE_CODE), figures["source_area_codes"])
    if not figures.assign(area_code=codes).duplicated(["area_code", "period"]).any():
        figures = figures.assign(area_code=codes)
    days = dict.fromkeys(("period_start", "period_end"), "datetime64[us]")
    return figures.astype({"year": "int32", "source_row": "Int64", **days})


def ratio_of_release(before: PublishedBefore, indicator: Indicator) -> pd.DataFrame | None:
    """A computed indicator's figures in the newest release, as ``figures_of``; None where they are not sound, or none."""
    from pipeline.run.payload_checks import set_failing_rows_aside

    try:
        passing, failing = set_failing_rows_aside(figures_of(before, indicator), indicator)
    except PayloadRejected:
        return None
    return passing if len(passing) and not len(failing) else None


def as_published(
    before: PublishedBefore | None,
    computed: Iterable[Indicator],
    observations: pd.DataFrame,
    results: Sequence[PartResult],
) -> pd.DataFrame:
    """The observations of a run, in which figures of a release have their intervals and their way onto the map as published.

    A release rounds errors, and knows today's codes only; made from its figures anew, both could differ in words or in a last
    decimal. Only a figure with the same value of the same bytes is the same figure.
    """
    names = {result.indicator_id for result in results if result.tier == "release"}
    if before is None or not names:
        return observations
    import numpy as np
    import pandas as pd

    ratios = [i.id for i in computed if i.ratio_of and names & {i.ratio_of.numerator, i.ratio_of.denominator}]
    then = pd.concat([before.figures(name, with_made=True) for name in sorted({*names, *ratios})], ignore_index=True)
    then = then[[*_SAME_FIGURE, "value", *_KEPT]].astype({"geography_rule": "str", "source_area_codes": "str"})
    beside = observations[[*_SAME_FIGURE, "value"]].astype(dict.fromkeys(_SAME_FIGURE, "str"))
    beside = beside.merge(
        then.astype(dict.fromkeys(_SAME_FIGURE, "str")), how="left", on=_SAME_FIGURE, suffixes=("", "_then")
    )
    is_same = np.isclose(beside["value"], beside["value_then"], rtol=1e-12, atol=0) & beside["geography_rule"].notna()
    kept = {name: _where(is_same, beside[name], observations[name]) for name in _KEPT}
    return observations.assign(**kept)


def _where(is_same: npt.NDArray[np.bool_], then: pd.Series, now: pd.Series) -> pd.Series:
    """A column with what was published where the figure is the same; it stays of its type."""
    import pandas as pd

    if isinstance(now.dtype, pd.CategoricalDtype):
        texts = now.astype("object").where(~is_same, then.to_numpy(dtype=object))
        return texts.astype("category")
    return now.where(~is_same, then.to_numpy())


def release_words(before: PublishedBefore, published: PublishedPart) -> str:
    """Which release, and of when its figures are: `release 1.2.0 (fetched 2026-11-20)`."""
    return f"release {before.version} (fetched {published.retrieved_on})"


def as_result(
    part: Part,
    published: PublishedPart,
    account: Account,
    accepted: Accepted | None,
    attempts: Sequence[Attempt],
) -> PartResult:
    """A part whose figures are a release's, with the provenance they had there."""
    return PartResult(
        indicator_id=published.indicator_id,
        part_id=published.part_id,
        tier="release",
        source_id=published.source_id,
        accepted=accepted,
        account=account,
        payload_sha256=published.payload_sha256,
        url=published.url,
        edition=published.edition,
        publisher_updated=published.publisher_updated,
        retrieved_at=datetime.combine(published.retrieved_on, time.min, tzinfo=UTC),
        is_optional=part.optional,
        attempts=tuple(attempts),
    )


def is_older(shipped: ShippedFile, published: PublishedPart) -> bool:
    """Whether shipped figures are an older edition than those a release has from a publisher.

    They are unless they came after the answer was fetched, as with a newer version of the project, or reach further.
    """
    reaches_further = published.last_year is not None and _year(shipped.last_period) > published.last_year
    return not reaches_further and shipped.published <= published.retrieved_on


def is_older_answer(held: PartResult, accepted_at: datetime | None, published: PublishedPart) -> bool:
    """Whether an answer that is held was fetched before the one a release was made from, as after a backup was restored.

    Of two of one day, the one whose figures end earlier is the older. What a person accepted since is not.
    """
    if held.retrieved_at is None or held.account is None or held.payload_sha256 == published.payload_sha256:
        return False
    taken_on = max(filter(None, (held.retrieved_at, accepted_at))).date()
    ends, theirs = held.account.latest_period_end, published.latest_period_end
    ends_earlier = ends is not None and theirs is not None and ends < theirs
    return taken_on < published.retrieved_on or (taken_on == published.retrieved_on and ends_earlier)


def _year(period: str) -> int:
    from pipeline.tidy.observations import parse_period

    return parse_period(period).year
