"""What publishers sent, shared through a bucket: every machine ends with the same, and nothing damaged is used."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline import retention
from pipeline.http.payload import Payload
from pipeline.raw import RawStore, Snapshot, SnapshotKey
from pipeline.settings import Settings
from pipeline.storage import snapshots
from pipeline.storage.bucket import Bucket
from pipeline.storage.session import prune

KEY = SnapshotKey("nomis", "claimant_rate", "main", {"source": "nomis", "dataset": "NM_162_1"})
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def payload(content: bytes, hours: int = 0) -> Payload:
    return Payload(
        body=content,
        media_type="text/csv",
        url="https://example.org/claimants.csv",
        parameters={},
        fetched_at=NOON + timedelta(hours=hours),
        http_status=200,
        headers={},
        row_count=1,
    )


def put(raw_dir: Path, content: bytes, hours: int = 0) -> Snapshot:
    return RawStore(raw_dir).put(KEY, payload(content, hours), licence="OGL-UK-3.0", code_version="0.1.0")


def reject(raw_dir: Path, content: bytes, hours: int = 0) -> Path:
    return RawStore(raw_dir).put_rejected(KEY, payload(content, hours), "cut", licence="OGL", code_version="0.1.0")


def files(raw_dir: Path) -> dict[str, bytes]:
    return {p.relative_to(raw_dir).as_posix(): p.read_bytes() for p in raw_dir.rglob("*") if p.is_file()}


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return tmp_path / "one" / "raw"


@pytest.fixture
def two(tmp_path: Path) -> Path:
    return tmp_path / "two" / "raw"


def test_a_machine_with_an_empty_disk_gets_all_that_another_put_up(bucket: Bucket, one: Path, two: Path) -> None:
    put(one, b"first")
    put(one, b"second", hours=24)
    reject(one, b"cut sho", hours=48)
    sent = snapshots.put_up(bucket, one)
    brought = snapshots.bring(bucket, two)
    assert files(two) == files(one)
    assert (sent.snapshots, sent.byte_count, sent.problems) == (3, len(b"firstsecondcut sho"), [])
    assert (brought.snapshots, brought.byte_count, brought.problems) == (3, len(b"firstsecondcut sho"), [])
    latest, passed_over = RawStore(two).latest_good(KEY)
    assert latest is not None
    assert RawStore(two).read(latest) == payload(b"second", hours=24)
    assert passed_over == []


def test_what_is_there_is_never_sent_or_brought_again(bucket: Bucket, one: Path) -> None:
    put(one, b"first")
    snapshots.put_up(bucket, one)
    before = bucket.list("")
    assert snapshots.put_up(bucket, one).snapshots == 0
    assert snapshots.bring(bucket, one).snapshots == 0
    assert bucket.list("") == before


def test_machines_that_fetched_apart_end_with_what_both_fetched(bucket: Bucket, one: Path, two: Path) -> None:
    put(one, b"fetched by one")
    put(two, b"fetched by two", hours=1)
    for raw_dir in (one, two, one):
        snapshots.bring(bucket, raw_dir)
        snapshots.put_up(bucket, raw_dir)
    assert files(one) == files(two)
    assert len(RawStore(one).editions(KEY)) == 2


def test_a_payload_damaged_in_the_bucket_is_not_used_and_the_one_before_it_is(
    bucket: Bucket, one: Path, two: Path
) -> None:
    put(one, b"good")
    newest = put(one, b"to be damaged", hours=1)
    snapshots.put_up(bucket, one)
    bucket.write(f"raw/nomis/payloads/{newest.path.name}", b"to be dAmaged")
    brought = snapshots.bring(bucket, two)
    latest, _ = RawStore(two).latest_good(KEY)
    assert latest is not None
    assert RawStore(two).read(latest).content == b"good"
    [problem] = brought.problems
    assert newest.path.name in problem
    assert "is not what was uploaded" in problem


def test_a_sidecar_whose_payload_never_arrived_is_not_brought(bucket: Bucket, one: Path, two: Path) -> None:
    snapshot = put(one, b"never arrived")
    sidecar = snapshot.sidecar_path
    bucket.write(f"raw/nomis/claimant_rate/{sidecar.name}", sidecar.read_bytes())
    brought = snapshots.bring(bucket, two)
    assert brought.snapshots == 0
    assert len(brought.problems) == 1
    assert files(two) == {}


def test_a_payload_that_arrived_cut_short_is_put_up_again_by_who_has_it(bucket: Bucket, one: Path, two: Path) -> None:
    snapshot = put(one, b"all of it")
    bucket.write(f"raw/nomis/payloads/{snapshot.path.name}", b"all")
    snapshots.put_up(bucket, one)
    assert snapshots.bring(bucket, two).problems == []
    assert files(two) == files(one)


def test_a_payload_changed_on_this_machine_is_not_put_up(bucket: Bucket, one: Path) -> None:
    snapshot = put(one, b"as it was sent")
    snapshot.path.write_bytes(b"as it was sEnt")
    moved = snapshots.put_up(bucket, one)
    assert bucket.list("") == {}
    [problem] = moved.problems
    assert "changed on this machine" in problem


@pytest.mark.parametrize("aim", ["../../../../outside.csv", "/etc/passwd", "../payloads/short.csv", 7])
def test_a_sidecar_cannot_make_a_machine_write_elsewhere(bucket: Bucket, one: Path, two: Path, aim: object) -> None:
    snapshot = put(one, b"content")
    sidecar = {**snapshot.sidecar, "payload_file": aim}
    bucket.write(f"raw/nomis/claimant_rate/{snapshot.sidecar_path.name}", json.dumps(sidecar).encode())
    brought = snapshots.bring(bucket, two)
    assert len(brought.problems) == 1
    assert not two.exists()


def test_an_answer_that_was_accepted_is_not_brought_back_as_rejected(bucket: Bucket, one: Path, two: Path) -> None:
    reject(one, b"looks wrong, is right")
    snapshots.put_up(bucket, one)
    store = RawStore(one)
    [rejected] = store.rejected("nomis", "claimant_rate")
    store.accept(rejected, "the publisher withdrew the rest", "ana")
    snapshots.put_up(bucket, one)
    for raw_dir in (one, two):
        snapshots.bring(bucket, raw_dir)
        assert RawStore(raw_dir).rejected("nomis", "claimant_rate") == []
        assert RawStore(raw_dir).latest_good(KEY)[0] is not None


def test_what_the_policy_lets_go_of_goes_here_and_there_and_stays_gone(
    bucket: Bucket, store_url: str, one: Path, two: Path
) -> None:
    for day in range(4):
        put(one, f"edition {day}".encode(), hours=24 * day)
    snapshots.put_up(bucket, one)
    gone, freed, _ = prune(Settings(one.parent, keep_snapshots=2), store_url)
    assert (gone, freed) == (2, 2 * len(b"edition 0"))
    assert snapshots.bring(bucket, one).snapshots == 0
    snapshots.bring(bucket, two)
    assert files(two) == files(one)
    assert len(RawStore(two).editions(KEY)) == 2


def test_where_the_bucket_cannot_be_reached_nothing_is_let_go_of_anywhere(
    bucket: Bucket, store_url: str, one: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(3):
        put(one, f"edition {day}".encode(), hours=24 * day)
    settings = Settings(one.parent, keep_snapshots=1, store_url=store_url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    [sentence] = retention.prune(settings)
    assert sentence.startswith("nothing old was deleted, here or in the bucket")
    assert "cannot be reached" in sentence
    assert len(RawStore(one).editions(KEY)) == 3


def test_nothing_is_let_go_of_while_another_machine_s_answers_are_only_in_the_bucket(
    bucket: Bucket, store_url: str, one: Path, two: Path
) -> None:
    put(one, b"of one")
    snapshots.put_up(bucket, one)
    put(two, b"of two", hours=1)
    [sentence] = retention.prune(Settings(two.parent, keep_snapshots=1, store_url=store_url))
    assert "holds snapshots that are not on this machine (1)" in sentence
    assert len(RawStore(two).editions(KEY)) == 1
