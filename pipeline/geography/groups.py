"""Named groups of places, read from YAML and resolved to districts."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from pipeline.catalogue.model import Entry, Identifier, Sentence
from pipeline.catalogue.yaml_entries import CatalogueError, load_entries
from pipeline.geography.area_errors import GeographyError
from pipeline.geography.register import Register

GROUPS_FILE = Path(__file__).resolve().parent / "groups.yaml"


class Group(Entry):
    """A named group: its members are codes of districts or wider areas, each with its name."""

    id: Identifier
    title: Annotated[str, Field(min_length=3, max_length=80)]
    description: Sentence
    source: Sentence
    members: Annotated[dict[str, str], Field(min_length=1)]


@lru_cache(maxsize=4)
def read_groups(path: Path = GROUPS_FILE) -> tuple[Group, ...]:
    """The groups in a file, in its order. Raises CatalogueError naming file, line, entry and field."""
    return tuple(load_entries(path, Group))


def resolve_groups(
    register: Register, vintage: int | None = None, path: Path = GROUPS_FILE
) -> dict[str, dict[str, str]]:
    """For each group, its districts on a vintage's map, each with the member that contributed it.

    Raises CatalogueError listing every member that is not in the register, has another name there, or has no district
    on that map.
    """
    found: dict[str, dict[str, str]] = {}
    problems: list[str] = []
    for group in read_groups(path):
        districts: dict[str, str] = {}
        for code, name in group.members.items():
            where = f"{path.name}: entry '{group.id}', member {code}"
            try:
                area = register.area(code)
            except GeographyError as error:
                problems.append(f"{where}: {error}")
                continue
            if area.name != name:
                problems.append(f"{where}: the register calls it '{area.name}', not '{name}'")
            members = register.members_of(area.code, vintage)
            if not members:
                problems.append(f"{where}: {area.name} has no district on the map")
            for district in members:
                districts.setdefault(district, code)
        found[group.id] = dict(sorted(districts.items()))
    if problems:
        raise CatalogueError("\n".join(problems))
    return found
