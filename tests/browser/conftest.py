"""A real headless Chromium on a site built from the offline run. Without Chromium the tests skip with the reason."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

import duckdb
import pytest
from playwright.sync_api import Browser, BrowserContext, FloatRect, Page, ViewportSize, expect, sync_playwright
from playwright.sync_api import TimeoutError as WaitedTooLong

from pipeline.report.boundaries import FILE_NAME
from pipeline.report.briefing import CannotPrint, find_chromium
from pipeline.report.site import build_site
from pipeline.settings import PROJECT_ROOT
from tests.report.outlines import write_outlines

Scheme = Literal["light", "dark"]
DESKTOP = ViewportSize(width=1440, height=900)
TELEPHONE = ViewportSize(width=360, height=740)
SCREENSHOTS = PROJECT_ROOT / ".cache" / "screenshots"
SCREENSHOT_HEIGHT = 2200  # pixels: what a reader meets first; a whole area page is several times as long
PATIENCE_SECONDS = 90  # a machine that does much else may take this long over thirty charts
LEFT_BEFORE_IT_CAME = "net::ERR_ABORTED"  # an icon still on its way when the next page is opened
OPTIONS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
expect.set_options(timeout=1000 * PATIENCE_SECONDS)
WAITING = "[...document.querySelectorAll('figure.chart')].filter((f) => f.offsetParent && !f.dataset.drawn)"


@dataclass
class Visit:
    """A browser's page on the site, and everything that went wrong or left the disk since it was opened."""

    page: Page
    folder: Path
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    loads: int = 0

    def open(self, path: str) -> Page:
        """Load a page of the site anew, also where it is open already or only the part after # differs."""
        self.loads += 1
        parts = urlsplit(f"{self.folder.as_uri()}/{path}")
        self.page.goto(urlunsplit(parts._replace(query=f"load={self.loads}")))
        return self.page

    def wait_until_drawn(self) -> None:
        """Wait until every chart that is shown is drawn, without touching the page. The failure names those that are not."""
        try:
            self.page.wait_for_function(f"!{WAITING}.length", polling=100, timeout=1000 * PATIENCE_SECONDS)
        except WaitedTooLong:
            names = self.page.evaluate(f"{WAITING}.map((figure) => figure.id)")
            pytest.fail(f"{self.page.url}: not drawn within {PATIENCE_SECONDS} s: {', '.join(names)}; {self.errors}")

    @property
    def requests_beyond_the_disk(self) -> list[str]:
        return [url for url in self.requests if not url.startswith(("file://", "about:", "data:", "blob:"))]

    def screenshot(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        width, height = self.page.evaluate("[innerWidth, document.documentElement.scrollHeight]")
        shown = FloatRect(x=0, y=0, width=width, height=min(height, SCREENSHOT_HEIGHT))
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True, clip=shown)


@pytest.fixture(scope="session")
def chromium() -> str:
    try:
        return find_chromium()
    except CannotPrint as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def built(
    browser: Browser, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Path:
    """A folder with the published file and its site, made once for all workers.

    It asks for the browser first, so that nothing is built where there is none.
    """
    own = tmp_path_factory.getbasetemp()
    shared = (own if worker_id == "master" else own.parent) / "browser"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "report").exists():
            context, _ = request.getfixturevalue("offline_run")
            shutil.copy(context.settings.database, shared / "published.duckdb")
            write_outlines(shared / "published.duckdb", shared / FILE_NAME)
            methodology = (PROJECT_ROOT / "docs" / "methodology.md").read_text(encoding="utf-8")
            build_site(shared / "published.duckdb", shared / "report", methodology=methodology)
    return shared


@pytest.fixture(scope="session")
def published_file(built: Path) -> Path:
    return built / "published.duckdb"


@pytest.fixture
def published(published_file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the file that the site shows."""
    with duckdb.connect(str(published_file), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def folder(built: Path) -> Path:
    return built / "report"


def visit_in(context: BrowserContext, folder: Path) -> Visit:
    """A page of a context that notes what goes wrong and what it asks for."""
    visit = Visit(context.new_page(), folder)
    visit.page.set_default_timeout(1000 * PATIENCE_SECONDS)
    visit.page.on("pageerror", lambda error: visit.errors.append(f"{visit.page.url}: {error}"))
    visit.page.on(
        "console",
        lambda message: (
            visit.errors.append(f"{visit.page.url}: {message.text}") if message.type in ("error", "warning") else None
        ),
    )
    visit.page.on("request", lambda request: visit.requests.append(request.url))
    visit.page.on(
        "requestfailed",
        lambda request: (
            visit.errors.append(f"{visit.page.url}: {request.url} failed")
            if request.failure != LEFT_BEFORE_IT_CAME
            else None
        ),
    )
    return visit


def window_of(browser: Browser, folder: Path, scheme: Scheme, size: ViewportSize) -> Iterator[Visit]:
    """A window for a whole session: to go on to the next page in it takes half the work of opening another."""
    with browser.new_context(viewport=size, color_scheme=scheme) as context:
        yield visit_in(context, folder)


def as_new(visit: Visit, size: ViewportSize) -> Visit:
    """The window as it was opened, with nothing noted yet."""
    visit.page.unroute_all()
    visit.page.emulate_media(media="null")
    visit.page.set_viewport_size(size)
    visit.errors.clear()
    visit.requests.clear()
    return visit


@pytest.fixture(scope="session")
def desktop_window(browser: Browser, folder: Path) -> Iterator[Visit]:
    yield from window_of(browser, folder, "light", DESKTOP)


@pytest.fixture(scope="session")
def dark_window(browser: Browser, folder: Path) -> Iterator[Visit]:
    yield from window_of(browser, folder, "dark", DESKTOP)


@pytest.fixture(scope="session")
def telephone_window(browser: Browser, folder: Path) -> Iterator[Visit]:
    yield from window_of(browser, folder, "light", TELEPHONE)


@pytest.fixture
def desktop(desktop_window: Visit) -> Visit:
    """A light desktop, 1440 pixels wide."""
    return as_new(desktop_window, DESKTOP)


@pytest.fixture
def dark(dark_window: Visit) -> Visit:
    """A desktop whose system is dark."""
    return as_new(dark_window, DESKTOP)


@pytest.fixture
def telephone(telephone_window: Visit) -> Visit:
    """A telephone, 360 pixels wide."""
    return as_new(telephone_window, TELEPHONE)


@pytest.fixture(scope="session")
def finger_window(browser: Browser, folder: Path) -> Iterator[Visit]:
    with browser.new_context(viewport=TELEPHONE, color_scheme="light", has_touch=True, is_mobile=True) as context:
        yield visit_in(context, folder)


@pytest.fixture
def finger(finger_window: Visit) -> Visit:
    """A telephone that is touched: no mouse, no keyboard."""
    return as_new(finger_window, TELEPHONE)


@pytest.fixture
def newcomer(browser: Browser, folder: Path) -> Iterator[Visit]:
    """A dark desktop that shares nothing with other tests, so that what it stores stays with it."""
    yield from window_of(browser, folder, "dark", DESKTOP)
