"""Read a YAML list of entries into typed models; a bad entry is reported with file, line, entry and field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from pipeline.catalogue.families import Family, Member, UnfilledError, members
from pipeline.catalogue.yaml_positions import CatalogueError, Location, line_of, read_yaml

__all__ = ["CatalogueError", "Location", "line_of", "load_entries", "problems", "read_yaml"]

EntryModel = TypeVar("EntryModel", bound=BaseModel)


def problems(
    error: ValidationError, path: Path, node: yaml.Node, entry_name: str, within: Location = ()
) -> Iterator[str]:
    """One sentence for each of pydantic's errors in one entry, whose fields are ``within`` the node."""
    for detail in error.errors():
        location = detail["loc"]
        field = ".".join(str(step) for step in location) or "(whole entry)"
        message = detail["msg"].removeprefix("Value error, ")
        given = "" if detail["type"] in ("missing", "value_error") else f" (given: {detail.get('input')!r:.60})"
        line = line_of(node, (*within, *location))
        yield f"{path.name}:{line}: entry '{entry_name}', field '{field}': {message}{given}"


def load_entries(path: Path, model: type[EntryModel], key: str = "id") -> list[EntryModel]:
    """Read a YAML list into ``model``, in file order; a family (``pipeline.catalogue.families``) gives many entries.

    Raises CatalogueError listing every bad entry, or two entries with the same ``key``.
    """
    content, root = read_yaml(path)
    if not isinstance(content, list) or not isinstance(root, yaml.SequenceNode):
        raise CatalogueError(f"{path.name}:1: expected a list of entries, each starting with '- {key}:'")
    entries: list[EntryModel] = []
    found: list[str] = []
    first_line: dict[Any, int] = {}
    for position, (raw, node) in enumerate(zip(content, root.value, strict=True)):
        line = node.start_mark.line + 1
        if not isinstance(raw, dict):
            found.append(f"{path.name}:{line}: entry {position + 1} is not a list of fields")
            continue
        for member in _members(raw, path, node, found):
            name = str(member.content.get(key, f"number {position + 1}"))
            if key == "id" and name in first_line:
                found.append(f"{path.name}:{line}: entry '{name}', field 'id': already used in line {first_line[name]}")
            first_line.setdefault(name, line)
            try:
                entries.append(model.model_validate(member.content))
            except ValidationError as error:
                found.extend(problems(error, path, node, name, member.within))
    if found:
        raise CatalogueError("\n".join(found))
    return entries


def _members(raw: dict[str, Any], path: Path, node: yaml.Node, found: list[str]) -> Iterator[Member]:
    """The entries from one item of the list: itself, or the members of a family; faults are added to ``found``."""
    if "family" not in raw:
        yield Member(raw)
        return
    name = f"family {raw['family']}"
    try:
        yield from members(Family.model_validate(raw))
    except ValidationError as error:
        found.extend(problems(error, path, node, name))
    except UnfilledError as error:
        field = ".".join(map(str, error.location))
        found.append(f"{path.name}:{line_of(node, error.location)}: entry '{name}', field '{field}': {error}")
