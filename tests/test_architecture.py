"""The rooms of the house and what each may import; a new import that crosses a wall fails here."""

from __future__ import annotations

import ast
import re
import socket
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from pytest_socket import SocketConnectBlockedError

from pipeline.settings import PROJECT_ROOT

STDLIB = set(sys.stdlib_module_names)

# Every room of the house, from the ground up: a room imports from floors below its own, and from nowhere else.
FLOORS: tuple[tuple[str, ...], ...] = (
    (
        "errors",
        "numerals",
        "__version__",
        "console",
        "spreadsheet",
        "setting_aside",
        "sidecar",
        "stopping",
        "leftovers",
    ),
    ("settings", "queries", "reading", "compare", "schemas", "atomic"),
    ("catalogue", "published", "notify", "questions", "estimation"),
    ("http", "tidy", "scoring", "gates", "marts"),
    ("publishers",),
    ("geography", "raw", "published_digest", "dictionary", "report", "export", "releases"),
    ("documents",),
    ("publish",),
    ("storage",),
    ("retention",),
    ("run",),
    ("verbs",),
    ("cli", "flows"),
    ("__main__",),
)

# What any room may import.
EVERYWHERE = {"pipeline.errors", "pipeline.numerals"}
# Room -> what else it may import beside the standard library and itself.
ALLOWED: dict[str, set[str]] = {
    "pipeline/catalogue": {"pipeline.publishers", "pydantic", "yaml"},
    "pipeline/http": {
        "pipeline.catalogue",
        "pipeline.settings",
        "pipeline.__version__",
        "pyarrow",
        "requests",
        "urllib3",
    },
    "pipeline/publishers": {
        "numpy",
        "pandas",
        "pipeline.catalogue",
        "pipeline.http",
        "pipeline.tidy",
        "pyarrow",
        "pydantic",
    },
    "pipeline/setting_aside.py": set(),
    "pipeline/numerals.py": set(),
    "pipeline/stopping.py": set(),
    "pipeline/leftovers.py": set(),
    "pipeline/sidecar.py": {"pydantic"},
    "pipeline/atomic.py": {"pipeline.setting_aside"},
    "pipeline/raw": {"pipeline.atomic", "pipeline.setting_aside", "pipeline.sidecar", "pipeline.http.payload"},
    "pipeline/tidy": {"numpy", "pandas", "pyarrow", "python_calamine", "pipeline.catalogue.model"},
    "pipeline/geography": {
        "numpy",
        "pandas",
        "pyarrow",
        "pydantic",
        "python_calamine",
        "yaml",
        "pipeline.catalogue.model",
        "pipeline.catalogue.yaml_entries",
        "pipeline.tidy.observations",
    },
    "pipeline/scoring": {"numpy", "scipy", "SALib", "pandas", "pipeline.catalogue", "pipeline.estimation"},
    "pipeline/estimation": {"numpy", "scipy", "pandas"},
    "pipeline/marts": {"duckdb", "pyarrow", "pydantic", "pipeline.catalogue"},
    "pipeline/gates": {"duckdb", "numpy", "pandas", "pydantic", "pipeline.catalogue"},
    "pipeline/notify.py": {"requests", "pipeline.settings", "pipeline.__version__"},
    "pipeline/publish.py": {
        "duckdb",
        "pandas",
        "pyarrow",
        "pipeline.leftovers",
        "pipeline.marts",
        "pipeline.published_digest",
        "pipeline.setting_aside",
    },
    "pipeline/published_digest.py": {"pipeline.atomic"},
    "pipeline/compare": {"duckdb", "pandas", "pyarrow"},
    "pipeline/releases": {
        "duckdb",
        "pyarrow",
        "pipeline.compare",
        "pipeline.marts.build",
        "pipeline.setting_aside",
    },
    "pipeline/storage": {
        "pipeline.atomic",
        "duckdb",
        "pyarrow",
        "pipeline.compare",
        "pipeline.publish",
        "pipeline.raw",
        "pipeline.releases",
        "pipeline.settings",
        "pipeline.stopping",
    },
    "pipeline/export": {
        "duckdb",
        "xlsxwriter",
        "pipeline.marts.declaration",
        "pipeline.published",
        "pipeline.spreadsheet",
    },
    "pipeline/spreadsheet.py": set(),
    "pipeline/reading.py": {"duckdb"},
    "pipeline/published": {"duckdb", "pipeline.reading"},
    "pipeline/report": {
        "altair",
        "duckdb",
        "jinja2",
        "markdown_it",
        "markupsafe",
        "numpy",
        "scipy",
        "vl_convert",
        "pipeline.published",
        "pipeline.reading",
        "pipeline.spreadsheet",
    },
    "schemas": {"pandas", "pandera"},
}

# Who may take a whole run: what arranges its steps and what starts them. A step takes what it reads, so this list may
# only shrink.
TAKES_THE_WHOLE_RUN = {
    "flows.prefect_runner.PrefectRunner.fetch_all",
    "pipeline.run.distributed_fetch.order_of",
    "pipeline.run.freshness.nothing_new",
    "pipeline.run.job.RefreshSteps.__call__",
    "pipeline.run.job._Job",
    "pipeline.run.notes.notes_of",
    "pipeline.run.rebuild.rebuild",
    "pipeline.run.refresh.acquire_all",
    "pipeline.run.refresh.refresh",
    "pipeline.run.runner.Inline.fetch_all",
    "pipeline.run.runner.Runner.fetch_all",
}
# Who may make one.
OPENS_A_RUN = {
    "pipeline.run.distributed_fetch",
    "pipeline.run.job",
    "pipeline.run.release",
    "pipeline.verbs.accept",
    "pipeline.verbs.publish",
    "pipeline.verbs.small_areas",
}


def modules(place: str) -> list[Path]:
    path = PROJECT_ROOT / place
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Every absolute module a file imports, at any depth of its code; `from pipeline import raw` gives `pipeline.raw`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide which room is entered"
            module = node.module or ""
            found.update({f"{module}.{alias.name}" for alias in node.names} if module == "pipeline" else {module})
    return found - {"__future__"}


def is_allowed(module: str, allowed: set[str]) -> bool:
    return module.split(".")[0] in STDLIB or any(module == a or module.startswith(a + ".") for a in allowed)


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_a_room_imports_only_what_it_may(room: str) -> None:
    own = room.removesuffix(".py").replace("/", ".")
    wrong = {
        f"{path.relative_to(PROJECT_ROOT)} imports {module}"
        for path in modules(room)
        for module in imports(path)
        if not is_allowed(module, ALLOWED[room] | EVERYWHERE | {own})
    }
    assert not wrong


def room_of(module: str) -> str:
    """The room of a module: ``pipeline.run.job`` is in ``run``, ``flows.refresh`` in ``flows``.

    What can be asked of a publisher is part of the catalogue, so its query is on a floor below.
    """
    first, *rest = module.split(".")
    if rest[:1] == ["publishers"] and rest[-1] in ("query", "queries"):
        return "queries"
    return (rest or ["__version__"])[0] if first == "pipeline" else first


@cache
def own_modules() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(PROJECT_ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for place in ("pipeline", "flows", "schemas")
        for path in modules(place)
    }


def test_every_room_imports_from_lower_floors_only() -> None:
    floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    known = own_modules()
    assert {room_of(name) for name in known} - {"__version__"} == set(floor) - {"__version__"}
    upward = {
        f"{name} imports {module}"
        for name, path in known.items()
        for module in imports(path)
        if module.split(".")[0] in ("pipeline", "flows", "schemas") and room_of(module) != room_of(name)
        if floor[room_of(module)] >= floor[room_of(name)]
    }
    assert upward == set()


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Also not within a function or for types alone: what two modules share belongs on a floor below both."""
    known = own_modules()
    below = {
        name: {found for found in imported_modules(path) if found in known} - {name} for name, path in known.items()
    }
    while free := {name for name, others in below.items() if not others}:
        below = {name: others - free for name, others in below.items() if name not in free}
    assert below == {}


def imported_modules(path: Path) -> set[str]:
    """The modules a file imports from, with ``from package import module`` as that module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            places = {f"{node.module}.{alias.name}" for alias in node.names}
            of_package = places & set(own_modules())
            found |= of_package or {node.module}
    return found


def test_only_what_arranges_the_steps_takes_the_whole_run() -> None:
    takers = {
        f"{name}.{taker}"
        for name, path in own_modules().items()
        if "pipeline.run.context" in imports(path)
        for taker in takers_of("Run", ast.parse(path.read_text(encoding="utf-8")))
    }
    assert takers == TAKES_THE_WHOLE_RUN
    assert len(TAKES_THE_WHOLE_RUN) <= 11


def test_few_modules_open_a_run() -> None:
    assert {
        name for name, path in own_modules().items() if "open_run" in names_in(ast.parse(path.read_text("utf-8")))
    } == OPENS_A_RUN | {"pipeline.run.context"}


def takers_of(type_name: str, tree: ast.AST, within: str = "") -> Iterator[str]:
    """Functions with a parameter of a type, and classes with a field of it; methods and inner functions as `outer.inner`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{within}{node.name}"
            if any(type_name in names_in(annotation) for annotation in annotations_of(node)):
                yield name
            yield from takers_of(type_name, node, f"{name}.")
        else:
            yield from takers_of(type_name, node, within)


def annotations_of(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> list[ast.expr]:
    """The types of a function's parameters, or of a class's fields."""
    if isinstance(node, ast.ClassDef):
        return [field.annotation for field in node.body if isinstance(field, ast.AnnAssign)]
    given = node.args
    parameters = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return [parameter.annotation for parameter in parameters if parameter is not None and parameter.annotation]


def names_in(tree: ast.AST) -> set[str]:
    """Every name in a piece of code, also in types that are written as text."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.update(re.findall(r"\w+", node.value) if len(node.value) < 100 else ())
    return found


def test_every_module_of_the_room_list_exists() -> None:
    assert all(modules(room) for room in ALLOWED)


def test_prefect_is_imported_by_flows_alone() -> None:
    users = {
        path.relative_to(PROJECT_ROOT).parts[0]
        for place in ("pipeline", "schemas", "flows")
        for path in modules(place)
        if any(module.split(".")[0] == "prefect" for module in imports(path))
    }
    assert users == {"flows"}


def test_only_http_asks_publishers_only_notify_tells_people_and_only_storage_reaches_the_bucket() -> None:
    networked = {"requests", "urllib3", "httpx", "socket", "http.client", "urllib.request", "aiohttp", "fsspec"}
    networked |= {"pyarrow.fs"}
    users = {
        str(path.relative_to(PROJECT_ROOT))
        for path in modules("pipeline") + modules("schemas")
        if networked & imports(path)
    }
    assert "pipeline/http/client.py" in users
    elsewhere = {user for user in users if not user.startswith("pipeline/http/")}
    assert elsewhere == {"pipeline/notify.py", "pipeline/storage/bucket.py"}


def test_pandas_enters_the_scoring_room_only_at_its_labelled_edge() -> None:
    pure = {"transform.py", "normalise.py", "aggregate.py", "ranks.py", "tree.py"}
    with_pandas = {path.name for path in modules("pipeline/scoring") if "pandas" in imports(path)}
    assert not with_pandas & pure


def test_flows_hold_no_sql_and_no_arithmetic_libraries() -> None:
    for path in modules("flows"):
        assert not {"duckdb", "pandas", "numpy", "pyarrow"} & {module.split(".")[0] for module in imports(path)}


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    longest = {
        path: len(path.read_text().splitlines())
        for place in ("pipeline", "flows", "schemas", "tools")
        for path in modules(place)
    }
    assert len(longest) > 300
    assert {str(path) for path, lines in longest.items() if lines > 400} == set()


@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_the_network_is_refused_in_tests_except_loopback() -> None:
    with pytest.raises(SocketConnectBlockedError), socket.socket() as outside:
        outside.connect(("192.0.2.1", 80))


# Modules that share a file name though they mean different things; this list may only shrink.
SHARED_NAMES: dict[str, set[str]] = {
    "errors.py": {"pipeline", "pipeline/estimation"},
    "inputs.py": {"pipeline/run", "pipeline/scoring"},
    "revisions.py": {"pipeline/estimation", "pipeline/scoring"},
}
# A name on purpose: of what each publisher's folder has, of a verb or flow and what it starts, of a schema and its table.
PUBLISHERS_FILES = {"checks", "fetch", "parse", "publisher", "query"}


def is_named_on_purpose(path: Path) -> bool:
    is_of_a_publisher = path.parts[:2] == ("pipeline", "publishers") and path.stem in PUBLISHERS_FILES
    starts_another = path.parent in (Path("pipeline/verbs"), Path("flows"), Path("schemas"))
    return is_of_a_publisher or starts_another or path.stem in ("__init__", "__main__")


def test_a_file_name_means_one_thing() -> None:
    folders: dict[str, set[str]] = {}
    for place in ("pipeline", "flows", "schemas", "tools"):
        for path in sorted((PROJECT_ROOT / place).rglob("*.*")):
            if path.suffix in (".py", ".csv", ".yaml") and not is_named_on_purpose(path.relative_to(PROJECT_ROOT)):
                folders.setdefault(path.name, set()).add(path.relative_to(PROJECT_ROOT).parent.as_posix())
    assert len(folders) > 250
    shared = {name: places for name, places in folders.items() if len(places) > 1}
    assert shared.pop("tables.yaml") == {
        "pipeline/marts",
        "pipeline/marts/small_areas",
    }  # the declarations of two files
    assert shared == SHARED_NAMES
    assert len(SHARED_NAMES) <= 3
