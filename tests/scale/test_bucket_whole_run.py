"""Whole runs on two machines with one bucket, and people who read that bucket without this project."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from pipeline.run.context import Run
from pipeline.run.job import JobOptions, run_job
from pipeline.run.refresh import Outcome, refresh
from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.storage import publishing
from pipeline.storage.bucket import open_bucket
from pipeline.storage.session import at_work
from pipeline.storage.verifying import verify
from tests.scale.bucket_server import BUCKET, BucketServer

READERS = (PROJECT_ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
URL = f"s3://{BUCKET}/inclusive-growth"


@pytest.fixture(scope="module")
def published(
    s3: BucketServer, small_run: tuple[Run, Outcome], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A bucket with the release of `small_run`, uploaded by the machine whose data folder this gives."""
    folder = tmp_path_factory.mktemp("machine-one")
    source = small_run[0].settings.marts_dir
    (folder / "marts").mkdir()
    for path in source.rglob("*"):
        target = folder / "marts" / path.relative_to(source)
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        elif path.name != "refresh.lock":
            target.parent.mkdir(parents=True, exist_ok=True)
            target.hardlink_to(path)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in s3.environment.items():
            patch.setenv(name, value)
        with at_work(Settings(folder, store_url=URL), URL) as shared:
            pass
        assert shared.problems == []
        yield folder


@pytest.mark.slow
def test_a_new_machine_finds_nothing_new_and_holds_what_the_first_published(published: Path, tmp_path: Path) -> None:
    settings = Settings(tmp_path, store_url=URL)
    assert run_job(refresh, JobOptions(offline=True), settings=settings) == 0
    report = json.loads((settings.marts_dir / "run_report.json").read_text())
    assert report["status"] == "nothing new"
    assert report["bucket_problems"] == []
    assert any("was downloaded from the bucket" in sentence for sentence in report["bucket_notes"])
    live = (published / "marts" / settings.database.name).read_bytes()
    assert settings.database.read_bytes() == live
    assert verify(open_bucket(URL)).problems == []


@pytest.mark.slow
def test_a_run_whose_bucket_is_away_is_done_all_the_same_and_ends_with_4(
    published: Path, s3: BucketServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = publishing.latest(open_bucket(URL))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    settings = Settings(published, store_url=URL)
    assert run_job(refresh, JobOptions(offline=True), settings=settings) == 4
    report = json.loads((settings.marts_dir / "run_report.json").read_text())
    assert report["status"] == "nothing new"
    [problem] = report["bucket_problems"]
    assert f"the bucket {URL} cannot be reached" in problem
    assert "What the bucket lacks" in (settings.marts_dir / "run_report.md").read_text()
    said = " ".join(capsys.readouterr().out.split())
    assert f"Bucket: the bucket {URL} cannot be reached" in said
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint)
    assert publishing.latest(open_bucket(URL)) == before


def blocks(heading: str) -> list[str]:
    """The Python of a section of docs/scaling.md, in order."""
    section = READERS.split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)


def test_the_readers_of_the_documentation_read_the_bucket(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = blocks("Reading from the bucket")
    assert len(found) == 3
    namespace: dict[str, object] = {}
    output = StringIO()
    for block in found:
        code = block.replace("s3://your-bucket/inclusive-growth", URL)
        with redirect_stdout(output):
            exec(compile(code, "docs/scaling.md", "exec"), namespace)  # noqa: S102 - our own documentation
    with_districts = [line for line in output.getvalue().splitlines() if "Preston" in line]
    assert len(with_districts) == 3
    assert (tmp_path / "inclusive_growth.duckdb").read_bytes() == (
        published / "marts" / "inclusive_growth.duckdb"
    ).read_bytes()
