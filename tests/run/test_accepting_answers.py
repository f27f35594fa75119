"""An answer that lacks a figure held before is kept out until a person says that the publisher means it."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.run.acquire import acquire_part
from pipeline.run.context import open_run
from pipeline.run.results import PartResult
from pipeline.settings import Settings
from tests.standin.figures import SHARED_DATA, Figures, Table
from tests.standin.server import StandIn

WHY = "DWP no longer publishes the first district, see its notice"
INDICATOR = "child_poverty_ahc"


class MovedOn(Figures):
    """The figures of the latest period, each with the district after the one it belongs to."""

    def table(self, slug: str) -> Table:
        table = super().table(slug)
        latest = max(period for _, period in table.cells)
        areas = sorted(area for area, period in table.cells if period == latest)
        moved = {
            (area, latest): table.cells[before, latest] for area, before in zip(areas[1:], areas[:-1], strict=True)
        }
        return replace(table, cells={**table.cells, **moved})


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


def acquire(standin: StandIn, folder: Path) -> PartResult:
    settings = Settings(data_dir=folder, base_urls=standin.base_urls)
    context = open_run(settings, force=True, throttle=False, backoff_seconds=0.01, draws=0)
    indicator = context.inputs.catalogue.indicators[INDICATOR]
    return acquire_part(context.inputs, context.stores, context.publishers, indicator, indicator.parts[0])


def count(result: PartResult) -> int:
    """How many figures Hartlepool has, whose first is given under a code of nobody while the fault is on."""
    assert result.observations is not None
    return int((result.observations["area_code"] == "E06000001").sum())


def test_it_is_rejected_then_accepted_by_name_and_used_from_then_on(
    standin: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("IG_DATA_DIR", str(tmp_path))
    whole = acquire(standin, tmp_path)
    standin.faults.switch_on("unknown_code")
    rejected = acquire(standin, tmp_path)
    assert (rejected.tier, count(rejected)) == ("snapshot", count(whole))
    assert 'python -m pipeline accept ons_els/child_poverty_ahc "REASON"' in " ".join(rejected.failures)

    assert main(["accept", f"ons_els/{INDICATOR}", WHY]) == 0
    assert "taken: the answer of" in capsys.readouterr().out
    taken = acquire(standin, tmp_path)
    assert (taken.tier, count(taken)) == ("live", count(whole) - 1)
    (sidecar,) = [
        text for path in (tmp_path / "raw" / "ons_els" / INDICATOR).glob("*.json") if WHY in (text := path.read_text())
    ]
    assert f'"accepted_by": "{getpass.getuser()}"' in sidecar

    assert main(["accept", f"ons_els/{INDICATOR}", WHY]) == 1
    assert "no rejected answer of ons_els is held" in capsys.readouterr().err


def test_an_answer_changed_on_disk_since_cannot_be_accepted(
    standin: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("IG_DATA_DIR", str(tmp_path))
    acquire(standin, tmp_path)
    standin.faults.switch_on("unknown_code")
    acquire(standin, tmp_path)
    for payload in (tmp_path / "raw" / "ons_els" / "payloads").iterdir():
        payload.write_bytes(payload.read_bytes().replace(b"E99999999", b"E06000001"))
    assert main(["accept", f"ons_els/{INDICATOR}", WHY]) == 1
    assert "the answer is wrong in itself and cannot be accepted" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["ons_els", WHY], "not of the form SOURCE/INDICATOR"),
        (["ons_els/no_such", WHY], "the catalogue has no indicator 'no_such'"),
        ([f"ons_els/{INDICATOR}", "fine"], "no reason that will be understood"),
    ],
)
def test_a_wrong_call_is_answered_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, words: list[str], says: str
) -> None:
    monkeypatch.setenv("IG_DATA_DIR", str(tmp_path))
    assert main(["accept", *words]) == 1
    assert says in capsys.readouterr().err


def test_figures_of_other_districts_are_held_until_a_person_accepts_them(
    standin: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """The latest year moves on by one district: the run keeps what it has, and says which areas show it."""
    monkeypatch.setenv("IG_DATA_DIR", str(tmp_path))
    whole = acquire(standin, tmp_path)
    standin.hold(MovedOn(SHARED_DATA))
    held = acquire(standin, tmp_path)
    assert held.tier == "snapshot"
    assert held.payload_sha256 == whole.payload_sha256
    said = " ".join(held.failures)
    assert "Children in relative poverty after housing costs in 2024: the order of districts is unlike" in said
    assert "the held figures stay in use" in said

    assert main(["accept", f"ons_els/{INDICATOR}", WHY]) == 0
    taken = acquire(standin, tmp_path)
    assert taken.tier == "live"
    assert taken.payload_sha256 != whole.payload_sha256
