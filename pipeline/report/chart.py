"""A chart as a page holds it: its finding in words, caption, data (or where to find them) and table columns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Column:
    """A column of the table behind a chart; ``decimals`` None marks text."""

    field: str
    title: str
    decimals: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {"field": self.field, "title": self.title, "decimals": self.decimals}


@dataclass(frozen=True)
class Chart:
    """One figure of a page.

    ``spec`` names a specification in `specs.py`. ``rows`` gives each of its data sets either rows or a recipe of
    ``rows.js``, ``{"from": name, …}``, that makes them from data shared between pages. ``text`` and ``signals`` fill in
    the specification's words and settings. ``id`` is unique on its page and names the downloads. ``breaks`` are the
    last years before a change of method; lines over the years end there.
    """

    id: str
    spec: str
    title: str
    caption: str
    source: str
    columns: Sequence[Column]
    rows: Mapping[str, Any]
    text: Mapping[str, str] = field(default_factory=dict)
    signals: Mapping[str, Any] = field(default_factory=dict)
    height: int | None = None
    breaks: Sequence[int] = ()

    @property
    def payload(self) -> Markup:
        """The chart as JSON that is safe inside a script element."""
        return script_json(
            {
                "spec": self.spec,
                "title": self.title,
                "source": self.source,
                "file": self.id,
                "rows": dict(self.rows),
                "text": dict(self.text),
                "signals": dict(self.signals),
                "height": self.height,
                "breaks": list(self.breaks),
                "columns": [column.as_json() for column in self.columns],
            }
        )


_UNSAFE = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def plain_json(value: object) -> str:
    """Compact JSON without NaN or infinities, and with nothing that an HTML parser could read as a tag or comment."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).translate(_UNSAFE)


def script_json(value: object) -> Markup:
    """`plain_json`, marked as safe for a template."""
    return Markup(plain_json(value))  # noqa: S704 escaped above


def rounded(value: float | None, decimals: int) -> float | None:
    """A number rounded to save space; whole numbers have no fraction."""
    if value is None:
        return None
    short = round(value, decimals)
    return int(short) if decimals <= 0 or short == int(short) else short
