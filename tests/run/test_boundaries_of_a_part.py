"""A surprise of one source or one snapshot is that part's failure by name; the rest of the night goes on."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.run.acquire import acquire_part
from pipeline.run.context import Run, open_run
from pipeline.run.notes import notes_of
from pipeline.run.results import Outcome, PartResult, Timings
from pipeline.run.run_report import run_report, write_run_report
from pipeline.settings import PROJECT_ROOT, Settings
from tests.publishers.raw_publisher import RawPublisher, raw_publisher
from tests.standin.server import StandIn

INDICATOR = "child_poverty_ahc"
OTHER = "no_qualifications_rate"
Harm = Callable[[dict[str, Any]], Any]


def context_of(folder: Path, base_urls: dict[str, str], **options: Any) -> Run:
    settings = Settings(data_dir=folder, base_urls=base_urls, nomis_uid="0xplanted0key")
    return open_run(settings, throttle=False, backoff_seconds=0.01, draws=0, **options)


def acquired(context: Run, indicator_id: str = INDICATOR) -> PartResult:
    indicator = context.inputs.catalogue.indicators[indicator_id]
    return acquire_part(context.inputs, context.stores, context.publishers, indicator, indicator.parts[0])


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a good answer for the indicator."""
    folder = tmp_path_factory.mktemp("held")
    with StandIn() as standin:
        assert acquired(context_of(folder, standin.base_urls)).tier == "live"
    return folder


@pytest.fixture
def folder(held: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(held, tmp_path / "data"))


def sidecar_of(folder: Path) -> Path:
    [path] = (folder / "raw").glob(f"*/{INDICATOR}/*.json")
    return path


def changed(change: Harm) -> Callable[[Path], None]:
    def harm(path: Path) -> None:
        held = json.loads(path.read_text())
        new = change(held)
        path.write_text(json.dumps(held if new is None else new))

    return harm


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


HARMS: dict[str, Callable[[Path], None]] = {
    "a missing key": changed(lambda sidecar: sidecar.pop("media_type") and None),
    "no payload named": changed(lambda sidecar: sidecar.pop("payload_file") and None),
    "a list": changed(lambda sidecar: [sidecar]),
    "null": lambda path: path.write_text("null"),
    "a number": lambda path: path.write_text("7"),
    "a text": lambda path: path.write_text('"sidecar"'),
    "pages that are no list": changed(lambda sidecar: sidecar.update(pages="all")),
    "a page of another shape": changed(lambda sidecar: sidecar.update(pages=[{"url": "x", "more": 1}])),
    "a description of another shape": changed(lambda sidecar: sidecar.update(description=["people"])),
    "headers that are null": changed(lambda sidecar: sidecar.update(headers=None)),
    "a sha256 that is none": changed(lambda sidecar: sidecar.update(sha256=12)),
    "a time that is none": changed(lambda sidecar: sidecar.update(fetched_at="yesterday")),
    "a time without a zone": changed(lambda sidecar: sidecar.update(fetched_at="2026-01-01T00:00:00")),
    "a payload outside the store": changed(lambda sidecar: sidecar.update(payload_file="../../../../../etc/hostname")),
    "an absolute payload": changed(lambda sidecar: sidecar.update(payload_file="/etc/hostname")),
    "a payload of no name": changed(lambda sidecar: sidecar.update(payload_file="\0")),
    "nested without end": lambda path: path.write_text("[" * 100_000),
    "no text": lambda path: path.write_bytes(b"\xff\xfe\x00"),
    "a folder": as_folder,
    "a name without a time": lambda path: path.rename(path.with_name(f"main.soon.{'a' * 12}.json")),
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_sidecar_that_is_none_is_passed_over_by_name_and_fetched_again(folder: Path, harm: str) -> None:
    HARMS[harm](sidecar_of(folder))
    offline = acquired(context_of(folder, {}, offline=True))
    assert offline.tier == "baseline"
    [told] = [attempt for attempt in offline.attempts if attempt.outcome == "corrupt"]
    assert told.sentence.startswith(INDICATOR)
    assert "the sidecar cannot be read" in told.sentence
    assert "\n" not in told.sentence
    with StandIn() as standin:
        live = acquired(context_of(folder, standin.base_urls))
    assert (live.tier, live.failures) == ("live", [])
    assert acquired(context_of(folder, {}, offline=True)).tier == "snapshot"


def test_a_folder_in_the_place_of_a_payload_is_set_aside_by_the_next_answer(folder: Path) -> None:
    [payload] = (folder / "raw").glob("*/payloads/*")
    as_folder(payload)
    with StandIn() as standin:
        assert acquired(context_of(folder, standin.base_urls)).tier == "live"
    assert acquired(context_of(folder, {}, offline=True)).tier == "snapshot"
    assert payload.with_name(f"{payload.name}.set-aside").is_dir()


# --- what a publisher sends ---------------------------------------------------------------------------------------------


def answer(body: bytes, *, status: bytes = b"200 OK", head: bytes = b"") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Type: text/csv\r\n%bContent-Length: %d\r\n\r\n%b" % (status, head, len(body), body)


LONG_FIELD = b'"' + b"x" * 200_000 + b'"'
ANSWERS = {
    "a Location that is no address": answer(b"", status=b"302 Found", head=b"Location: http://[::1\r\n"),
    "a field longer than the reader's limit": answer(b"areacd,period,value\nE06000001," + LONG_FIELD + b",1\n"),
    "a header longer than the reader's limit": answer(LONG_FIELD + b",period,value\nE06000001,2020,1\n"),
    "a quote that never ends": answer(b'areacd,period,value\n"' + b"E06000001,2020,1\n" * 20_000),
    "no numbers of a status": b"HTTP/1.1 abc\r\n\r\n",
    "a status that no protocol has": b"HTTP/9.9 999999 \r\n\r\n",
    "a length of chunks that is none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5, 7\r\n\r\nhello",
    "bytes of nothing": bytes(range(256)) * 40,
}


@pytest.mark.parametrize("what", ANSWERS)
@pytest.mark.parametrize("indicator_id", [INDICATOR, OTHER])
def test_whatever_a_publisher_sends_the_last_good_figures_stand_and_the_failure_has_a_name(
    folder: Path, what: str, indicator_id: str
) -> None:
    def say(_: RawPublisher, out: socket.socket, __: str) -> None:
        out.sendall(ANSWERS[what])

    with raw_publisher(say) as publisher:
        result = acquired(context_of(folder, {"ons_els": publisher.address, "nomis": publisher.address}), indicator_id)
        assert publisher.paths
    assert result.tier == ("snapshot" if indicator_id == INDICATOR else "baseline")
    assert any(a.outcome in ("failed", "rejected", "unreachable") for a in result.attempts)
    assert all(sentence.startswith(indicator_id) for sentence in result.failures)
    assert "0xplanted0key" not in repr(result.attempts)


# --- errors that nobody foresaw -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["fetch", "is_unchanged"])
def test_an_error_that_nobody_foresaw_is_told_with_its_traceback_and_without_the_key(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("0xplanted0key came apart\nand more")

    monkeypatch.setattr(f"pipeline.publishers.ons_els.publisher.ExploreLocalStatistics.{where}", fails)
    with StandIn() as standin:
        context = context_of(folder, standin.base_urls, force=where == "fetch")
        result = acquired(context)
    assert result.tier == ("snapshot" if where == "fetch" else "live")
    [told] = [attempt for attempt in result.attempts if attempt.traceback]
    assert told.outcome == "failed"
    assert told.sentence.startswith(f"{INDICATOR}: Explore Local Statistics API: an unforeseen error (Zero")
    assert told.sentence.endswith("(ZeroDivisionError: (key) came apart)")
    assert "in fails" in told.traceback
    assert "0xplanted0key" not in told.traceback
    report = run_report(context.settings, notes_of(context, [result]), Outcome(False, (result,), {}, Timings()))
    write_run_report(tmp_path, report)
    assert report["tracebacks"] == [told.traceback]
    assert "in fails" in (tmp_path / "run_report.md").read_text()


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_who_stops_a_run_stops_it(folder: Path, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]) -> None:
    def stops(*_: object) -> None:
        raise stop

    monkeypatch.setattr("pipeline.publishers.ons_els.publisher.ExploreLocalStatistics.fetch", stops)
    with StandIn() as standin, pytest.raises(stop):
        acquired(context_of(folder, standin.base_urls, force=True))


def test_a_night_with_sidecars_of_every_wrong_shape_ends_well(
    offline_run: tuple[Run, Outcome], held: Path, tmp_path: Path
) -> None:
    """A real process: the snapshots of many parts are harmed at once, and the figures are as they were."""
    data = tmp_path / "data"
    shutil.copytree(offline_run[0].settings.data_dir, data)
    shutil.copytree(held / "raw", data / "raw", dirs_exist_ok=True)
    good = sidecar_of(data)
    for number, harm in enumerate(HARMS):
        copy = good.with_name(f"main.20250101T0000{number:02d}000000Z.{'b' * 12}.json")
        shutil.copyfile(good, copy)
        HARMS[harm](copy)
    good.unlink()
    command = [sys.executable, "-m", "pipeline", "nightly", "--offline", "--quick", "--no-report"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IG_")}
    done = subprocess.run(
        command,
        cwd=PROJECT_ROOT,
        env=environment | {"IG_DATA_DIR": str(data)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    report = json.loads((data / "marts" / "run_report.json").read_text())
    told = [sentence for sentence in report["failures"] if "the sidecar cannot be read" in sentence]
    assert len(told) >= len(HARMS) - 1  # the one whose name has no time may be found under another
    assert report["tracebacks"] == []
