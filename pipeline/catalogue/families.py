"""Families: one entry of a catalogue file that stands for many alike, filled in from lists of options.

A family has ``axes``, each a list of options with fields of their own; ``each``, an entry in which ``{axis.field}``
stands for a field of the member's option on that axis; and ``exceptions``, by the id a member would have, with the fields
in which it differs. There is a member for every option with every other, in the order of the axes, the last one
running fastest. Text that is nothing but ``{axis.field}`` becomes what the field holds, be it a number or a mapping;
``{axis.*.field}`` alone becomes the list of that field over all options of the axis.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pipeline.catalogue.yaml_positions import Location

Options = tuple[dict[str, Any], ...]
_PLACEHOLDER = re.compile(r"\{(\w+)\.(\w+|\*\.\w+)\}")


class Family(BaseModel):
    """One family as it stands in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    family: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    axes: dict[str, Options] = Field(min_length=1)
    each: dict[str, Any]
    exceptions: dict[str, dict[str, Any]] = {}


@dataclass(frozen=True)
class Member:
    """One entry of a file, or one that a family stands for; its fields stand ``within`` the item of the list."""

    content: dict[str, Any]
    within: Location = ()


class UnfilledError(ValueError):
    """A placeholder, or an exception, that fits no axis, option or member. ``location`` is where in the family."""

    def __init__(self, message: str, location: Location) -> None:
        super().__init__(message)
        self.location = location


def members(family: Family) -> Iterator[Member]:
    """The entries a family stands for. Raises UnfilledError."""
    unused = dict(family.exceptions)
    ids = []
    for chosen in itertools.product(*family.axes.values()):
        content = _filled(family.each, dict(zip(family.axes, chosen, strict=True)), family.axes, ("each",))
        ids.append(str(content.get("id")))
        own = unused.pop(ids[-1], None)
        yield Member(content | (own or {}), ("each",) if own is None else ("exceptions", ids[-1]))
    if unused:
        name = next(iter(unused))
        raise UnfilledError(f"no member has the id '{name}'; they are {', '.join(ids)}", ("exceptions", name))


def _filled(
    template: Any, chosen: Mapping[str, Mapping[str, Any]], axes: Mapping[str, Options], location: Location
) -> Any:
    if isinstance(template, dict):
        return {name: _filled(value, chosen, axes, (*location, name)) for name, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, chosen, axes, (*location, place)) for place, value in enumerate(template)]
    if not isinstance(template, str):
        return template

    def value(match: re.Match[str]) -> Any:
        axis, field = match[1], match[2].removeprefix("*.")
        if axis not in axes:
            raise UnfilledError(f"'{match[0]}' names no axis; there are {', '.join(axes)}", location)
        options = axes[axis] if match[2].startswith("*.") else (chosen[axis],)
        if any(field not in option for option in options):
            has = ", ".join(options[0])
            raise UnfilledError(f"'{match[0]}': an option of '{axis}' has no field '{field}', it has {has}", location)
        held = [option[field] for option in options]
        return held if match[2].startswith("*.") else held[0]

    if whole := _PLACEHOLDER.fullmatch(template):
        return value(whole)
    return _PLACEHOLDER.sub(lambda match: str(value(match)), template)
