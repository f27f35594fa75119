"""Old snapshots go by policy; the last good one of a query and every payload still spoken of stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.http.payload import Payload
from pipeline.raw import RawStore, SnapshotKey
from pipeline.retention import prune
from pipeline.settings import Settings, SettingsError, settings_from_environment

KEY = SnapshotKey("nomis", "employment_rate", "main", {"dataset": "NM_17_5"})
START = datetime(2026, 1, 1, tzinfo=UTC)


def payload(text: str, day: int) -> Payload:
    return Payload(
        body=text.encode(),
        media_type="text/csv",
        url="https://publisher.example/data.csv",
        parameters={},
        fetched_at=START + timedelta(days=day),
        http_status=200,
        headers={},
        row_count=1,
        publisher_updated=None,
        edition=None,
        pages=(),
        description=None,
    )


def put(store: RawStore, text: str, day: int, key: SnapshotKey = KEY) -> None:
    store.put(key, payload(text, day), licence="OGL-UK-3.0", code_version="test")


def held(folder: Path) -> list[str]:
    return sorted(path.read_text() for path in (folder / "raw" / "nomis" / "payloads").iterdir())


def test_only_the_newest_answers_of_each_query_stay(tmp_path: Path) -> None:
    store = RawStore(tmp_path / "raw")
    for day in range(5):
        put(store, f"edition {day}", day)
    (sentence,) = prune(Settings(tmp_path, keep_snapshots=2))
    assert sentence.startswith("3 old snapshots deleted")
    assert held(tmp_path) == ["edition 3", "edition 4"]
    assert store.verify() == (2, [])
    assert prune(Settings(tmp_path, keep_snapshots=2)) == []


def test_the_last_good_one_is_never_let_go_though_newer_ones_are_damaged(tmp_path: Path) -> None:
    store = RawStore(tmp_path / "raw")
    for day in range(4):
        put(store, f"edition {day}", day)
    for path in (tmp_path / "raw" / "nomis" / "payloads").iterdir():
        if path.read_text() in ("edition 2", "edition 3"):
            path.write_text("changed on disk")
    prune(Settings(tmp_path, keep_snapshots=1))
    snapshot, passed_over = RawStore(tmp_path / "raw").latest_good(KEY)
    assert snapshot is not None
    assert snapshot.path.read_text() == "edition 1"
    assert len(passed_over) == 1


def test_a_payload_that_another_indicator_still_needs_stays(tmp_path: Path) -> None:
    store = RawStore(tmp_path / "raw")
    other = SnapshotKey("nomis", "inactivity_rate", "main", {"dataset": "NM_17_5"})
    put(store, "shared", 0)
    put(store, "shared", 0, other)
    put(store, "newer", 1)
    prune(Settings(tmp_path, keep_snapshots=1))
    assert held(tmp_path) == ["newer", "shared"]


def test_rejected_answers_are_kept_by_the_same_number_and_never_count_as_the_last_good_one(tmp_path: Path) -> None:
    store = RawStore(tmp_path / "raw")
    put(store, "good", 0)
    for day in range(1, 5):
        store.put_rejected(KEY, payload(f"bad {day}", day), "too short", licence="OGL-UK-3.0", code_version="test")
    prune(Settings(tmp_path, keep_snapshots=2))
    assert held(tmp_path) == ["bad 3", "bad 4", "good"]


def test_nothing_is_removed_that_an_unreadable_sidecar_may_speak_of(tmp_path: Path) -> None:
    store = RawStore(tmp_path / "raw")
    put(store, "one", 0)
    put(store, "two", 1)
    newest = max((tmp_path / "raw" / "nomis" / "employment_rate").glob("*.json"))
    newest.write_text("{half a rec")
    assert prune(Settings(tmp_path, keep_snapshots=1)) == []
    assert held(tmp_path) == ["one", "two"]


def test_a_snapshot_fetched_by_a_clock_that_was_set_back_is_still_the_latest(tmp_path: Path) -> None:
    store = RawStore(tmp_path / "raw")
    put(store, "yesterday's", 10)
    put(store, "today's, by a wrong clock", 3)
    snapshot, _ = store.latest_good(KEY)
    assert snapshot is not None
    assert snapshot.path.read_text() == "today's, by a wrong clock"
    assert snapshot.fetched_at == START + timedelta(days=3)


@pytest.mark.parametrize("name", ["IG_KEEP_SNAPSHOTS", "IG_KEEP_RELEASES"])
@pytest.mark.parametrize("given", ["0", "-1", "some", "1.5"])
def test_a_number_to_keep_that_is_none_is_named(name: str, given: str) -> None:
    with pytest.raises(SettingsError, match=name):
        settings_from_environment({name: given})


def test_what_a_killed_run_had_begun_to_write_goes_and_nothing_else_does(tmp_path: Path) -> None:
    store, settings = RawStore(tmp_path / "raw"), Settings(tmp_path)
    put(store, "whole", 0)
    folder = tmp_path / "raw" / "nomis" / "employment_rate"
    settings.marts_dir.mkdir()
    half = [
        folder / ".main.20260101T000000000000Z.0123456789ab.json.x8k_2m1q",
        settings.marts_dir / ".run_report.md.abcdefgh",
    ]
    others = [settings.marts_dir / name for name in (".gitkeep", "run_report.json", ".notes.of.a.person")]
    for path in [*half, *others]:
        path.write_text("{half a rec")
    prune(settings)
    assert [path for path in half if path.exists()] == []
    assert [path for path in others if not path.exists()] == []
    assert held(tmp_path) == ["whole"]
