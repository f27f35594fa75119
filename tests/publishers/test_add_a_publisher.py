"""The page on adding a publisher is true: a folder and an entry of ``sources.yaml`` bring a new publisher's figures."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pipeline.settings import PROJECT_ROOT

YEARS = range(2005, 2025)
AREAS = [f"E060000{number:02d}" for number in range(1, 21)]
CELLS = {(area, year): f"{40 + number + year / 100:.2f}" for number, area in enumerate(AREAS) for year in YEARS}
WITHHELD, UNREADABLE = ("E06000002", 2023), ("E06000003", 2023)
TABLE = "area,year,value\n" + "".join(
    f"{area},{year},{cell}\n" for (area, year), cell in (CELLS | {WITHHELD: "[c]", UNREADABLE: "4l"}).items()
)
SCRIPT = """
import json
from dataclasses import replace
from pipeline.catalogue import load_catalogue
from pipeline.catalogue.model import Districts, Part
from pipeline.run.acquire import acquire_part
from pipeline.run.context import open_run
from pipeline.settings import settings_from_environment

catalogue = load_catalogue()
query = {"source": "example", "name": "apprenticeships"}
part = Part(id="trial", live=(query,), districts=Districts(min=1, max=400))
usual = catalogue.indicators["gdhi_per_head"]
bounds = usual.bounds.model_copy(update={"min": 0.1})
indicator = usual.model_copy(update={"id": "apprenticeships", "parts": (part,), "bounds": bounds})
catalogue = replace(catalogue, indicators={**catalogue.indicators, indicator.id: indicator})
context = open_run(settings_from_environment(), catalogue=catalogue, throttle=False)
result = acquire_part(context.inputs, context.stores, context.publishers, indicator, part)
assert result.observations is not None, result.attempts
rows = result.observations[["area_code", "year", "value", "status"]]
print(json.dumps({"tier": result.tier, "rows": rows.to_dict("records"), "aside": list(result.accepted.quarantine["reason"])}))
"""


def block(page: str, heading: str) -> str:
    """The code under the heading of the page that ends in a file's name."""
    found = re.search(rf"## [^\n]*`{re.escape(heading)}`\n\n```\w+\n(.*?)```", page, re.DOTALL)
    assert found, heading
    return found[1]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = TABLE.encode() if self.path == "/apprenticeships.csv" else b"nothing here"
        self.send_response(200 if self.path == "/apprenticeships.csv" else 404)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def test_a_folder_and_an_entry_are_a_publisher(tmp_path: Path) -> None:
    page = (PROJECT_ROOT / "docs" / "add-a-publisher.md").read_text(encoding="utf-8")
    house = tmp_path / "house"
    for room in ("pipeline", "schemas"):
        shutil.copytree(PROJECT_ROOT / room, house / room, ignore=shutil.ignore_patterns("__pycache__"))
    folder = house / "pipeline" / "publishers" / "example"
    folder.mkdir()
    assert "Beside it goes an empty `__init__.py`" in page
    (folder / "__init__.py").touch()
    for name in ("query.py", "publisher.py"):
        (folder / name).write_text(block(page, f"pipeline/publishers/example/{name}"), encoding="utf-8")
    with (house / "pipeline" / "catalogue" / "sources.yaml").open("a", encoding="utf-8") as stream:
        stream.write("\n" + block(page, "pipeline/catalogue/sources.yaml"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        ran = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=house,
            env={"IG_EXAMPLE_URL": f"http://127.0.0.1:{server.server_port}", "IG_DATA_DIR": str(tmp_path / "data")},
            capture_output=True,
            text=True,
            check=False,
        )
        helped = subprocess.run(
            [sys.executable, "-m", "pipeline", "--help"], cwd=house, capture_output=True, text=True, check=True
        )
    finally:
        server.shutdown()
        server.server_close()
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["tier"] == "live"
    figures = {(row["area_code"], row["year"]): row["value"] for row in told["rows"] if row["status"] == "ok"}
    assert figures == {key: float(cell) for key, cell in CELLS.items() if key not in (WITHHELD, UNREADABLE)}
    marked = {(row["area_code"], row["year"]): row["status"] for row in told["rows"] if row["status"] != "ok"}
    assert marked == {WITHHELD: "suppressed"}
    assert told["aside"] == ["a number cannot be read"]
    assert "IG_EXAMPLE_URL" in helped.stdout
