"""A run and its bucket: one run at a time, and a bucket that is away, refuses or says nothing never stops the work."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.raw import RawStore
from pipeline.run.nightly import Night, message_of
from pipeline.settings import PROJECT_ROOT, Settings, SettingsError, settings_from_environment
from pipeline.storage import bucket as bucket_module
from pipeline.storage import lease as claim
from pipeline.storage import snapshots
from pipeline.storage.bucket import Bucket, StoreProblem, open_bucket
from pipeline.storage.lease import TakenElsewhere, claimed
from pipeline.storage.session import at_work
from tests.scale.bucket_server import KEY, SECRET, BucketServer
from tests.scale.test_bucket_snapshots import files, put


@pytest.fixture
def settings(tmp_path: Path, store_url: str) -> Settings:
    return Settings(tmp_path / "data", store_url=store_url)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times of tests: a claim lapses after a second or two, and a silent server is given up after as long."""
    monkeypatch.setattr(claim, "LAPSE_SECONDS", 1.0)
    monkeypatch.setattr(claim, "RENEW_SECONDS", 0.3)
    monkeypatch.setattr(claim, "_LONGEST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(bucket_module, "PATIENCE_SECONDS", 1.0)


def test_a_second_machine_is_told_who_is_at_work_and_may_begin_once_that_one_ended(bucket: Bucket, hasty: None) -> None:
    with (
        claimed(bucket),
        pytest.raises(TakenElsewhere, match=rf"process \d+ on {socket.gethostname()}, since 20\d\d-"),
        claimed(bucket),
    ):
        pass
    with claimed(bucket):
        pass
    assert claim.holders(bucket) == []


def test_the_claim_of_a_dead_machine_lapses_and_that_of_a_living_one_does_not(bucket: Bucket, hasty: None) -> None:
    dead = claim.Lease(bucket)
    dead.lay_down()
    time.sleep(2.5)
    with claimed(bucket):
        time.sleep(2.5)
        with pytest.raises(TakenElsewhere), claimed(bucket):
            pass


def test_of_many_that_begin_at_once_never_two_are_at_work(bucket: Bucket, hasty: None) -> None:
    at_work_now, most = 0, 0
    counting, together = threading.Lock(), threading.Barrier(6)

    def run() -> None:
        nonlocal at_work_now, most
        together.wait()
        try:
            with claimed(bucket):
                with counting:
                    at_work_now += 1
                    most = max(most, at_work_now)
                time.sleep(0.1)
                with counting:
                    at_work_now -= 1
        except TakenElsewhere:
            return

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most <= 1
    assert bucket.list(claim.FOLDER) == {}


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes every connection and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(64)
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("refuses", "refuses this machine: check its keys"),
        ("away", "cannot be reached (could not connect to server)"),
        ("silent", "cannot be reached (timeout was reached)"),
        ("no bucket", "does not exist; create it, or correct IG_STORE_URL"),
    ],
)
def test_a_bucket_that_does_not_work_is_one_sentence_and_the_run_goes_on(
    s3: BucketServer, settings: Settings, store_url: str, silent_port: int, hasty: None,
    monkeypatch: pytest.MonkeyPatch, fault: str, said: str,
) -> None:  # fmt: skip
    url = "s3://no-such-bucket/x" if fault == "no bucket" else store_url
    if fault in ("away", "silent"):
        port = silent_port if fault == "silent" else 9
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    worked = False
    if fault == "refuses":
        with s3.refusing(), at_work(settings, url) as shared:
            worked = True
    else:
        with at_work(settings, url) as shared:
            worked = True
    assert worked
    [problem] = shared.problems
    assert said in problem
    assert url in problem
    assert "the next run that reaches the bucket uploads the results" in problem
    assert KEY not in problem
    assert SECRET not in problem


def test_what_a_bucket_did_not_take_at_the_end_of_a_run_it_gets_from_the_next(
    s3: BucketServer, bucket: Bucket, settings: Settings, store_url: str, tmp_path: Path
) -> None:
    with ExitStack() as later:
        with at_work(settings, store_url) as shared:
            put(settings.raw_dir, b"fetched meanwhile")
            later.enter_context(s3.refusing())
        [problem] = shared.problems
        assert "refuses this machine" in problem
        assert "the next run will upload what is missing there" in problem
        assert RawStore(settings.raw_dir).verify() == (1, [])
    assert len(bucket.list(claim.FOLDER)) == 1  # it could not be taken away either, and lapses
    bucket.delete(next(iter(bucket.list(claim.FOLDER))))
    with at_work(settings, store_url) as shared:
        pass
    assert shared.problems == []
    assert snapshots.bring(bucket, tmp_path / "other").snapshots == 1
    assert files(tmp_path / "other") == files(settings.raw_dir)


def test_what_was_fetched_is_put_up_also_where_the_run_fails(
    bucket: Bucket, settings: Settings, store_url: str
) -> None:
    def fail_after_fetching() -> None:
        with at_work(settings, store_url):
            put(settings.raw_dir, b"fetched before it failed")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_fetching()
    assert len(snapshots.sidecars(list(bucket.list("")))) == 1
    assert claim.holders(bucket) == []


def test_what_moved_is_said_in_sentences(settings: Settings, store_url: str, tmp_path: Path) -> None:
    with at_work(settings, store_url) as shared:
        put(settings.raw_dir, b"fetched")
    assert shared.notes == ["1 snapshot (0.0 MB) uploaded"]
    with at_work(Settings(tmp_path / "other"), store_url) as other:
        pass
    assert other.notes == ["1 snapshot (0.0 MB) downloaded from the bucket"]
    assert shared.problems + other.problems == []


def test_people_are_told_of_a_night_whose_bucket_did_not_take_what_is_new(settings: Settings) -> None:
    report = {"status": "nothing new", "bucket_problems": ["the bucket s3://council/x refuses this machine"]}
    message = message_of(Night(4), report, settings, datetime.now(UTC))
    assert message.concerns == "failures"
    assert message.subject == "Inclusive growth: nothing new, with a bucket to look after"
    assert "Bucket: the bucket s3://council/x refuses this machine" in message.text
    both = message_of(Night(4), report | {"failures": ["nomis: cut short"]}, settings, datetime.now(UTC))
    assert both.subject.endswith("with sources that gave no figures today and a bucket to look after")


def test_a_latest_that_cannot_be_read_is_said_and_left_alone(
    bucket: Bucket, settings: Settings, store_url: str
) -> None:
    bucket.write("latest.json", b'{"format": 99}')
    with at_work(settings, store_url) as shared:
        pass
    [problem] = shared.problems
    assert "latest.json in the bucket" in problem
    assert bucket.read("latest.json") == b'{"format": 99}'


@pytest.mark.parametrize(
    "wrong",
    [
        f"s3://{KEY}:{SECRET}@council/x",
        "https://council.s3.amazonaws.com",
        "s3://Council",
        "s3://council/../x",
        "council",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_and_never_repeated(wrong: str) -> None:
    with pytest.raises(SettingsError, match="IG_STORE_URL must be s3://bucket or s3://bucket/prefix") as refused:
        settings_from_environment({"IG_STORE_URL": wrong})
    assert wrong not in str(refused.value)
    assert SECRET not in str(refused.value)


def test_an_address_is_taken_without_the_slash_at_its_end() -> None:
    assert settings_from_environment({"IG_STORE_URL": "s3://council/growth/"}).store_url == "s3://council/growth"
    assert settings_from_environment({"IG_STORE_URL": ""}).store_url is None


def test_one_settings_file_switches_from_laptop_to_team() -> None:
    lines = (PROJECT_ROOT / "docs" / "recipes" / "team.env").read_text(encoding="utf-8").splitlines()
    team = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert settings_from_environment(team).store_url == "s3://your-bucket/inclusive-growth"
    assert settings_from_environment(team).data_dir == Path("/srv/inclusive-growth")
    assert settings_from_environment({}).store_url is None


def test_a_laptop_imports_nothing_that_speaks_to_a_bucket() -> None:
    code = (
        "import json, sys; from pathlib import Path; from pipeline.run.shared_bucket import with_bucket\n"
        "from pipeline.settings import Settings\n"
        "with with_bucket(Settings(Path('nowhere')), print): pass\n"
        "print(json.dumps(sorted(name for name in sys.modules if name.startswith(('pyarrow', 'pipeline.storage')))))"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    assert json.loads(ended.stdout) == ["pipeline.storage", "pipeline.storage.session_record"]


def test_a_server_that_is_no_address_is_a_sentence(store_url: str) -> None:
    with pytest.raises(StoreProblem, match="does not work"):
        open_bucket(store_url, {"AWS_ENDPOINT_URL": "no address at all"}).require()
