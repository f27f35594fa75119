"""YAML with the line numbers of its contents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import PipelineError

Location = tuple[int | str, ...]


class CatalogueError(PipelineError, ValueError):
    """A catalogue file has invalid contents. The message lists every problem, one a line."""


# PyYAML's parser in C, if available: it reads the catalogue in a tenth of the time.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StrictLoader(_Loader):
    """SafeLoader that refuses a repeated key in a mapping; plain YAML silently keeps the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = key_node.value
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the field {key!r} is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> tuple[Any, yaml.Node]:
    """Parse one YAML file; return its plain content and the node tree with line numbers.

    Raises CatalogueError, naming file and line, if the text is not YAML or a field is repeated.
    """
    text = path.read_text(encoding="utf-8")
    loader = _StrictLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise CatalogueError(f"{path.name}: the file is empty")
        return loader.construct_document(node), node
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CatalogueError(f"{path.name}:{line}: {error.problem}") from error
    finally:
        loader.dispose()


def line_of(node: yaml.Node, location: Location) -> int:
    """The 1-based line of ``location`` (keys and list positions), or of its nearest existing parent."""
    for step in location:
        if isinstance(node, yaml.MappingNode):
            # the last one: fields merged in from an anchor come before the entry's own
            found = next((value for key, value in reversed(node.value) if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = node.value[step]
        else:
            found = None
        if found is None:
            continue  # a discriminator or a missing field: stay at the parent
        node = found
    return int(node.start_mark.line) + 1
