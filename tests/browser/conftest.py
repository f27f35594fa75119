"""A real headless Chromium on a site built from the offline run. Without Chromium the tests skip with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from pipeline.report.briefing import CannotPrint, find_chromium
from pipeline.report.site import build_site
from pipeline.run.context import RunContext
from pipeline.run.refresh import Outcome
from pipeline.settings import PROJECT_ROOT

SCREENSHOTS = PROJECT_ROOT / ".cache" / "screenshots"
LEFT_BEFORE_IT_CAME = "net::ERR_ABORTED"  # an icon still on its way when the next page is opened
OPTIONS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@dataclass
class Visit:
    """A browser's page on the site, and everything that went wrong or left the disk since it was opened."""

    page: Page
    folder: Path
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Load a page of the site anew, also where only the part after # differs."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.folder.as_uri()}/{path}")
        return self.page

    def scroll_through(self) -> None:
        """Bring every chart near once and wait until all that are shown are drawn."""
        self.page.evaluate(
            "async () => { for (let y = 0; y < document.body.scrollHeight; y += 700)"
            " { scrollTo(0, y); await new Promise((done) => setTimeout(done, 30)); } }"
        )
        self.page.wait_for_function(
            "[...document.querySelectorAll('figure.chart')].every((f) => f.dataset.drawn || !f.offsetParent)"
        )
        self.page.evaluate("scrollTo(0, 0)")

    def screenshot(self, name: str, *, whole: bool = True) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=whole)


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
def published_file(offline_run: tuple[RunContext, Outcome]) -> Path:
    return offline_run[0].settings.database


@pytest.fixture(scope="session")
def folder(browser: Browser, published_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site; it asks for the browser first, so that nothing is built where there is none."""
    out = tmp_path_factory.mktemp("site") / "report"
    build_site(published_file, out, methodology=(PROJECT_ROOT / "docs" / "methodology.md").read_text(encoding="utf-8"))
    return out


def visit_in(context: BrowserContext, folder: Path) -> Visit:
    visit = Visit(context.new_page(), folder)
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


@pytest.fixture
def desktop(browser: Browser, folder: Path) -> Iterator[Visit]:
    """A light desktop, 1440 pixels wide."""
    with browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light") as context:
        yield visit_in(context, folder)


@pytest.fixture
def telephone(browser: Browser, folder: Path) -> Iterator[Visit]:
    """A telephone, 360 pixels wide."""
    with browser.new_context(viewport={"width": 360, "height": 740}, color_scheme="light") as context:
        yield visit_in(context, folder)


@pytest.fixture
def dark(browser: Browser, folder: Path) -> Iterator[Visit]:
    """A desktop whose system is dark."""
    with browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark") as context:
        yield visit_in(context, folder)
