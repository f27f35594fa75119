"""The fields of a catalogue entry. Unknown fields are refused, so a misspelling cannot slip through."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, HttpUrl, field_validator, model_validator

from pipeline.publishers.queries import AnyQuery
from pipeline.publishers.query import Entry as Entry
from pipeline.publishers.query import Identifier as Identifier
from pipeline.publishers.query import Query as Query

Theme = Literal["pay", "employment", "deprivation", "productivity", "income", "cost_of_living", "skills", "health"]
Level = Literal["district", "county", "combined_authority", "region", "nation", "country"]
Nation = Literal["E", "W", "S", "N"]
Kind = Literal["count", "rate", "ratio", "mean", "median", "index"]
PeriodLength = Literal["P1D", "P1M", "P3M", "P1Y", "P3Y"]
Sentence = Annotated[str, Field(min_length=10)]

# The period of one figure if an entry does not give it: an ISO 8601 duration.
_LENGTH_BY_FREQUENCY: Mapping[str, PeriodLength] = {"monthly": "P1M", "quarterly": "P3M"}


class Bounds(Entry):
    """The smallest and largest plausible value; a figure outside is set aside, not published."""

    min: float
    max: float

    @model_validator(mode="after")
    def ordered(self) -> Bounds:
        if not self.min < self.max:
            raise ValueError(f"min {self.min} is not below max {self.max}")
        return self


class Districts(Entry):
    """How many current districts the latest period should have: fewer than ``min`` fails the source, more than ``max`` warns."""

    min: int = Field(ge=1)
    max: int = Field(le=400)

    @model_validator(mode="after")
    def ordered(self) -> Districts:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


class Part(Entry):
    """One of the tables that make up an indicator; most indicators have a single part.

    ``live`` lists the queries to try, in order of preference. An empty list means that no live source is known, and the
    shipped figures are used. An ``optional`` part is shown once a source provides it; until then its absence is
    reported but is not a failure. ``nations`` are those whose districts the part covers; all of the indicator's if none
    are given.
    """

    id: Identifier = "main"
    nations: tuple[Nation, ...] = ()
    live: tuple[AnyQuery, ...] = ()
    districts: Districts
    optional: bool = False


class RatioOf(Entry):
    """An indicator computed from two others: numerator over denominator, same area, same period; ``times`` 100 for per cent."""

    numerator: Identifier
    denominator: Identifier
    times: Literal[1, 100] = 1


class SeriesBreak(Entry):
    """A year after which a series has a new basis, so that figures before and after do not compare.

    ``after`` is the last year on the old basis, by the year of the figure.
    """

    after: int = Field(ge=1980, le=2100)
    reason: Sentence


class Indicator(Entry):
    """One indicator, as an economist would describe it.

    ``kind`` says how the figure of a merged district or a wider area may be made from its parts' figures. A figure
    ``averaged_over`` workplaces is never made in this way, since only numbers of residents are held as weights.
    ``transform`` and ``polarity`` are those of METHODOLOGY sections 2 and 4; polarity 0 is context, never scored.
    ``period_lengths`` are the permitted lengths of a figure's period, the usual first; by default that of
    ``frequency``. A figure of any other length is refused. ``intervals`` says how sampling error is published. With
    ``revisions`` it is not, and the spread of revisions between the editions held is used instead.
    ``is_error_published`` says whether anyone publishes a sampling error for these figures, held here or not;
    ``error_note`` says where, or why not. ``errors`` says where the errors used in scores come from if no figure has a
    published one: revisions between editions, scatter about a local trend, counts of small areas, or nowhere. An
    indicator that is not ``in_profile`` is in the tall tables only, and has no column in the wide one.
    """

    id: Identifier
    title: Annotated[str, Field(min_length=5, max_length=90)]
    short_title: Annotated[str, Field(min_length=3, max_length=40)] | None = None
    description: Sentence
    theme: Theme
    unit: str
    unit_suffix: Identifier
    decimals: int = Field(ge=0, le=3)
    polarity: Literal[1, 0, -1]
    transform: Literal["log_ratio", "difference"]
    kind: Kind
    averaged_over: Literal["residents", "workplaces"] = "residents"
    publisher: str
    frequency: Literal["monthly", "quarterly", "annual", "every_few_years"]
    period_lengths: tuple[PeriodLength, ...] = ()
    nations: tuple[Nation, ...]
    levels: tuple[Level, ...]
    licence: str = "OGL-UK-3.0"
    citation_url: HttpUrl
    bounds: Bounds
    intervals: Literal["none", "revisions", "bounds", "cv", "half_width"]
    is_error_published: bool
    errors: Literal["published", "revisions", "scatter", "counts", "none"] = "published"
    error_note: Sentence
    caveats: tuple[Sentence, ...] = ()
    breaks: tuple[SeriesBreak, ...] = ()
    parts: tuple[Part, ...] = ()
    ratio_of: RatioOf | None = None
    in_profile: bool = True

    @property
    def label(self) -> str:
        """A few words for a chart or a bracket: the short title, else the title up to its first comma."""
        return self.short_title or self.title.split(",")[0]

    @property
    def combined_as(self) -> Kind:
        """The kind that decides how parts are combined; an index is never combined."""
        return "index" if self.averaged_over == "workplaces" and self.kind != "count" else self.kind

    @property
    def lengths_of_periods(self) -> tuple[PeriodLength, ...]:
        """The permitted lengths of a figure's period, as ISO 8601 durations."""
        return self.period_lengths or (_LENGTH_BY_FREQUENCY.get(self.frequency, "P1Y"),)

    @property
    def column_name(self) -> str:
        """The name of the indicator's column in wide tables: its id, with the unit at the end."""
        return self.id if self.id.endswith(f"_{self.unit_suffix}") else f"{self.id}_{self.unit_suffix}"

    def nations_of(self, part_id: str) -> tuple[Nation, ...]:
        """The nations whose districts a part covers."""
        return next((part.nations for part in self.parts if part.id == part_id), ()) or self.nations

    @field_validator("breaks")
    @classmethod
    def come_in_order(cls, breaks: tuple[SeriesBreak, ...]) -> tuple[SeriesBreak, ...]:
        after = [found.after for found in breaks]
        if after != sorted(set(after)):
            raise ValueError(f"breaks come in the order of their years, each year once: {after}")
        return breaks

    @model_validator(mode="after")
    def has_one_origin(self) -> Indicator:
        if bool(self.parts) == (self.ratio_of is not None):
            raise ValueError("give either parts (published figures) or ratio_of (computed), not both and not neither")
        names = [part.id for part in self.parts]
        if len(set(names)) != len(names):
            raise ValueError(f"two parts share an id: {names}")
        if strays := {nation for part in self.parts for nation in part.nations} - set(self.nations):
            raise ValueError(f"a part covers {', '.join(sorted(strays))}, which is not among the indicator's nations")
        if self.intervals in ("bounds", "cv", "half_width") and not self.is_error_published:
            raise ValueError(f"intervals are {self.intervals}, so that is_error_published must be true")
        if self.transform == "log_ratio" and self.bounds.min <= 0:
            raise ValueError("a log_ratio needs positive values: bounds.min must be above 0")
        return self


class Source(Entry):
    """One publisher's service: its address and its limits."""

    id: Identifier
    title: str
    publisher: str
    base_url: HttpUrl
    environment_variable: Annotated[str, Field(pattern=r"^IG_[A-Z_]+$")]
    landing_page: HttpUrl
    licence: str
    licence_url: HttpUrl
    requests_per_second: float = Field(gt=0, le=2)
    connect_timeout_seconds: float = Field(gt=0, le=30)
    read_timeout_seconds: float = Field(gt=0, le=300)
    largest_answer_megabytes: int = Field(gt=0, le=500)
    other_hosts: tuple[Annotated[str, Field(pattern=r"^[a-z0-9.-]+(:[0-9]+)?$")], ...] = ()
    note: str = ""


class BaselineEntry(Entry):
    """The source files of the shipped figures for one part of an indicator, and how they are read."""

    indicator: Identifier
    part: Identifier = "main"
    reader: Literal["els_source", "ashe_table_8", "iod_average_score", "income_deprivation"]
    files: tuple[str, ...]
    select: dict[str, str] = Field(default={})
    publisher: str
    edition: str
    published: date
    source_url: HttpUrl
    licence: str = "OGL-UK-3.0"
