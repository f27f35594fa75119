"""An area's page printed as a PDF of two A4 pages through headless Chromium."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pipeline.errors import PipelineError
from pipeline.report.site import build_briefing

PAGES: Final = 2
VARIABLE: Final = "IG_CHROMIUM"
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Headless and offline: no window, no user profile, no calls to the browser's maker.
_OPTIONS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-pdf-header-footer",
    "--virtual-time-budget=20000", "--run-all-compositor-stages-before-draw",
)  # fmt: skip
_TIMEOUT_SECONDS: Final = 120
_PAGE_OBJECT: Final = re.compile(rb"/Type\s*/Page(?![a-zA-Z])")


class CannotPrint(PipelineError):
    """The page could not be printed, or was printed wrongly. The message says what to do."""


def find_chromium(environ: Mapping[str, str] | None = None) -> str:
    """The Chromium to print with: ``IG_CHROMIUM``, else the first on the path. Raises CannotPrint if there is none."""
    env = os.environ if environ is None else environ
    named = env.get(VARIABLE)
    if named:
        if shutil.which(named, path=env.get("PATH")):
            return named
        raise CannotPrint(f"{VARIABLE} is {named}, which is not a program that can be run")
    for name in _NAMES:
        if found := shutil.which(name, path=env.get("PATH")):
            return found
    raise CannotPrint(
        "printing a briefing needs Chromium, which is not installed; install it (on Debian and Ubuntu: "
        f"apt-get install chromium) or set {VARIABLE} to the path of Chromium or Google Chrome"
    )


def write_briefing(database: Path, code: str, out: Path) -> tuple[str, int]:
    """Write the briefing of one area to ``out``: (name of the area, pages).

    Raises CannotRead, CannotWrite, and CannotPrint if Chromium is missing, fails or does not print two pages.
    """
    chromium = find_chromium()
    with tempfile.TemporaryDirectory(prefix="briefing-") as scratch:
        folder = Path(scratch)
        page, name = build_briefing(database, code, folder / "site")
        printed = folder / "briefing.pdf"
        _print(chromium, page, printed, folder / "profile")
        pages = page_count(printed)
        if pages != PAGES:
            raise CannotPrint(f"the briefing of {name} has {pages} pages instead of {PAGES}; please report this")
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(printed, out)
    return name, pages


def _print(chromium: str, page: Path, out: Path, profile: Path) -> None:
    command = [chromium, *_OPTIONS, f"--user-data-dir={profile}", f"--print-to-pdf={out}", f"{page.as_uri()}#print"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_SECONDS, check=False, text=True)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise CannotPrint(f"Chromium did not finish printing within {_TIMEOUT_SECONDS} seconds") from error
    if not out.exists():
        last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "it gave no reason")
        raise CannotPrint(f"Chromium could not print the briefing: {last}")


def page_count(pdf: Path) -> int:
    """Pages in a PDF written by Chromium, which leaves page objects uncompressed."""
    return len(_PAGE_OBJECT.findall(pdf.read_bytes()))
