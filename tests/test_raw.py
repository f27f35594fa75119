"""The raw store: write-once, provable, and never offering bytes that changed after they were stored."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.atomic import write_atomically
from pipeline.http.payload import Payload, StoredFile
from pipeline.raw import CorruptSnapshot, RawStore, Snapshot, SnapshotKey

KEY = SnapshotKey("ons_els", "claimant_rate", "main", {"source": "ons_els", "slug": "claimant-count"})
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def payload(content: bytes, hours: int = 0) -> Payload:
    return Payload(
        body=content,
        media_type="text/csv",
        url="https://example.org/data/claimant-count.csv",
        parameters={"time": "all"},
        fetched_at=NOON + timedelta(hours=hours),
        http_status=200,
        headers={"Date": "today"},
        row_count=2,
        publisher_updated="2026-01-20",
    )


@pytest.fixture
def store(tmp_path: Path) -> RawStore:
    return RawStore(tmp_path)


def put(store: RawStore, content: bytes, hours: int = 0):
    return store.put(KEY, payload(content, hours), licence="OGL-UK-3.0", code_version="0.1.0")


def sidecar_of(store: RawStore, snapshot: Snapshot) -> Path:
    [path] = store.root.glob(f"*/*/*.{snapshot.sha256[:12]}.json")
    return path


def test_what_was_put_is_what_is_read_with_its_provenance(store: RawStore) -> None:
    snapshot = put(store, b"a,b\n1,2\n")
    assert snapshot.is_new
    assert store.read(snapshot) == payload(b"a,b\n1,2\n")
    assert {"url", "parameters", "fetched_at", "http_status", "headers", "sha256", "byte_count", "row_count",
            "publisher_updated", "licence", "code_version"} <= set(snapshot.sidecar)  # fmt: skip


def test_unchanged_content_makes_no_new_file(store: RawStore, tmp_path: Path) -> None:
    first = put(store, b"same")
    again = put(store, b"same", hours=24)
    assert not again.is_new
    assert again.path == first.path
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2


def test_changed_content_is_kept_beside_the_old(store: RawStore) -> None:
    put(store, b"old")
    put(store, b"new", hours=24)
    latest, _ = store.latest_good(KEY)
    assert latest is not None
    assert store.read(latest).content == b"new"
    assert len(list(store.snapshots())) == 2


def test_a_changed_payload_is_passed_over_for_the_one_before_and_reported(store: RawStore) -> None:
    put(store, b"old")
    newer = put(store, b"new", hours=24)
    newer.path.write_bytes(b"tampered")
    latest, passed_over = store.latest_good(KEY)
    assert latest is not None
    assert store.read(latest).content == b"old"
    assert "the file was changed after it was stored" in passed_over[0]
    count, problems = store.verify()
    assert (count, len(problems)) == (2, 1)


def test_a_payload_without_its_sidecar_does_not_count(store: RawStore) -> None:
    put(store, b"old")
    newer = put(store, b"new", hours=24)
    sidecar_of(store, newer).unlink()
    latest, _ = store.latest_good(KEY)
    assert latest is not None
    assert store.read(latest).content == b"old"


def test_an_unreadable_sidecar_is_reported_not_raised(store: RawStore) -> None:
    snapshot = put(store, b"x")
    sidecar_of(store, snapshot).write_text("{not json")
    latest, passed_over = store.latest_good(KEY)
    assert latest is None
    assert "the sidecar cannot be read" in passed_over[0]


def test_a_snapshot_of_another_query_is_not_offered(store: RawStore) -> None:
    put(store, b"x")
    other = SnapshotKey(KEY.source_id, KEY.indicator_id, KEY.part_id, {"source": "ons_els", "slug": "another"})
    assert store.latest_good(other) == (None, [])


def test_rejected_payloads_are_kept_once_and_never_offered(store: RawStore, tmp_path: Path) -> None:
    for _ in range(2):
        kept = store.put_rejected(KEY, payload(b"<html>"), "an HTML page came", licence="-", code_version="0")
    assert kept.read_bytes() == b"<html>"
    sidecars = list((tmp_path / "ons_els" / "claimant_rate" / "rejected").glob("*.json"))
    assert len(sidecars) == 1
    assert json.loads(sidecars[0].read_text())["rejected_because"] == "an HTML page came"
    assert store.latest_good(KEY) == (None, [])


def test_reading_a_snapshot_whose_payload_is_gone_says_so(store: RawStore) -> None:
    snapshot = put(store, b"x")
    snapshot.path.unlink()
    with pytest.raises(CorruptSnapshot, match="cannot be read"):
        store.read(snapshot)


def test_an_interrupted_write_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "file"
    write_atomically(target, b"old")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.atomic.os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_indicators_made_of_one_payload_share_its_file(store: RawStore, tmp_path: Path) -> None:
    other = SnapshotKey(KEY.source_id, "claimant_count", KEY.part_id, KEY.query)
    put(store, b"both")
    snapshot = store.put(other, payload(b"both"), licence="OGL-UK-3.0", code_version="0.1.0")
    assert snapshot.is_new
    assert len(list(tmp_path.glob("ons_els/payloads/*"))) == 1
    assert store.read(snapshot).content == b"both"
    assert store.verify() == (2, [])


def test_a_payload_changed_in_the_store_is_written_anew_when_it_comes_again(store: RawStore) -> None:
    first = put(store, b"good")
    first.path.write_bytes(b"tampered")
    again = put(store, b"good", hours=24)
    assert again.is_new
    assert store.read(again).content == b"good"
    assert store.verify() == (2, [])


def test_a_long_payload_stays_in_its_file_and_is_proved_all_the_same(
    store: RawStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.raw.raw_store.LARGEST_IN_MEMORY_BYTES", 10)
    snapshot = put(store, b"eleven bytes and more")
    held = store.read(snapshot)
    assert isinstance(held.body, StoredFile)
    assert held.content == b"eleven bytes and more"
    assert held.sha256 == snapshot.sha256
    snapshot.path.write_bytes(b"eleven bytes and others")
    with pytest.raises(CorruptSnapshot, match="the file was changed after it was stored"):
        store.read(snapshot)
