"""The published file and its releases in a bucket: the old or the new, whole, whatever breaks, on every machine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipeline.cli import main
from pipeline.compare import Version
from pipeline.releases import ReleaseStore
from pipeline.settings import Settings
from pipeline.storage import lease as claim
from pipeline.storage import publishing
from pipeline.storage.bucket import Bucket, StoreProblem, open_bucket
from pipeline.storage.session import at_work, prune
from pipeline.storage.verifying import verify

FIRST_DAY = datetime.fromisoformat("2026-11-01 03:00")


@dataclass
class Machine:
    """A machine with a disk of its own, its releases made small: a table that changes and one that does not."""

    settings: Settings

    @property
    def live(self) -> Path:
        return self.settings.database

    @property
    def store(self) -> ReleaseStore:
        return ReleaseStore(self.live, self.settings.keep_releases)

    def publish(self, version: str, run: str | None = None) -> None:
        """Publish and keep a release after the live one, as a refresh does."""
        self.live.parent.mkdir(parents=True, exist_ok=True)
        number = Version.parse(version)
        released_at = FIRST_DAY + timedelta(days=number.minor, hours=number.patch)
        with duckdb.connect(str(self.live)) as connection:
            connection.execute(
                "create table if not exists meta_release (release_version varchar, released_at timestamp, kind varchar, "
                "explanation varchar, previous_version varchar, run_id varchar, code_version varchar, content_hash varchar)"
            )
            connection.execute("create table if not exists dim_area as select range as area_code from range(1000)")
            connection.execute("create or replace table mart_score as select ? as version", [version])
            connection.execute("create or replace table meta_run as select ? as input_fingerprint", [version])
            connection.execute(
                "insert into meta_release values (?, ?, 'minor', 'made for a test', null, ?, '0.1.0', ?)",
                [version, released_at, run or f"run-{version}", version],
            )
        self.store.keep()

    def work(self, *versions: str) -> list[str]:
        """A run that publishes some releases; what it says of the bucket."""
        assert self.settings.store_url is not None
        with at_work(self.settings, self.settings.store_url) as shared:
            for version in versions:
                self.publish(version)
        return shared.notes + shared.problems

    def content(self) -> tuple[list[str], str]:
        """The versions the live file tells of, and the one its figures are of."""
        return content_of(self.live)


def content_of(path: Path) -> tuple[list[str], str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        versions = connection.execute("select release_version from meta_release order by released_at").fetchall()
        [(version,)] = connection.execute("select version from mart_score").fetchall()
    return [v for (v,) in versions], version


@pytest.fixture
def one(tmp_path: Path, store_url: str) -> Machine:
    return Machine(Settings(tmp_path / "one", store_url=store_url))


@pytest.fixture
def two(tmp_path: Path, store_url: str) -> Machine:
    return Machine(Settings(tmp_path / "two", store_url=store_url))


def test_a_machine_with_an_empty_disk_goes_on_from_what_another_published(one: Machine, two: Machine) -> None:
    one.work("1.0.0", "1.1.0")
    said = two.work()
    assert two.live.read_bytes() == one.live.read_bytes()
    assert [str(release.version) for release in two.store.kept()] == ["1.1.0"]
    assert said[0].startswith("release 1.1.0 was downloaded from the bucket")
    two.work("1.2.0")
    one.work()
    assert one.content() == (["1.0.0", "1.1.0", "1.2.0"], "1.2.0")


def test_the_stable_name_holds_the_newest_file_and_latest_says_what_it_is(
    one: Machine, bucket: Bucket, tmp_path: Path
) -> None:
    one.work("1.0.0")
    one.work("1.1.0")
    found = publishing.latest(bucket)
    assert found is not None
    assert (str(found.version), found.file) == ("1.1.0", "published/inclusive_growth-1.1.0.duckdb")
    bucket.download("inclusive_growth.duckdb", tmp_path / "read.duckdb", found.sha256)
    assert content_of(tmp_path / "read.duckdb") == (["1.0.0", "1.1.0"], "1.1.0")


def test_a_table_that_did_not_change_does_not_travel_again(
    one: Machine, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    one.work("1.0.0")
    sent: list[str] = []
    upload = Bucket.upload

    def noting(self: Bucket, path: Path, name: str, sha256: str) -> None:
        sent.append(name)
        upload(self, path, name, sha256)

    monkeypatch.setattr(Bucket, "upload", noting)
    one.work("1.1.0")
    assert "releases/1.1.0/dim_area.parquet" not in sent
    assert "releases/1.1.0/mart_score.parquet" in sent
    assert verify(bucket).problems == []


class Died(Exception):
    """The machine died at this operation."""


def dying_after(operations: int, url: str) -> Bucket:
    """A bucket on which only so many writing operations succeed."""
    dying = open_bucket(url)
    left = operations

    def limited(original: Callable[..., None]) -> Callable[..., None]:
        def operation(*arguments: object) -> None:
            nonlocal left
            if left == 0:
                raise Died
            left -= 1
            original(*arguments)

        return operation

    for name in ("upload", "copy", "write"):
        setattr(dying, name, limited(getattr(dying, name)))
    return dying


def test_readers_see_the_old_or_the_new_whole_wherever_putting_up_breaks_off(
    one: Machine, two: Machine, bucket: Bucket, tmp_path: Path
) -> None:
    one.work("1.0.0")
    one.publish("1.1.0")
    seen = []
    for operations in range(20):
        with suppress(Died):
            publishing.put_up(dying_after(operations, bucket.url), one.store, one.live)
        found = publishing.latest(bucket)
        assert found is not None
        read = tmp_path / f"{operations}.duckdb"
        bucket.download(found.file, read, found.sha256)
        assert content_of(read)[1] == str(found.version)
        assert verify(bucket).releases == len(publishing.versions_there(bucket))
        seen.append(str(found.version))
        if seen[-1] == "1.1.0":
            break
    assert len(seen) > 5
    assert seen == ["1.0.0"] * (len(seen) - 1) + ["1.1.0"]
    assert verify(bucket).problems == []
    two.work()
    assert two.content()[1] == "1.1.0"


def test_what_was_published_while_the_bucket_was_away_is_put_up_later_in_order(
    one: Machine, two: Machine, bucket: Bucket
) -> None:
    for version in ("1.0.0", "1.1.0", "1.1.1"):
        one.publish(version)
    said = one.work()
    assert said == [f"release 1.1.1 was uploaded as {bucket.url}/inclusive_growth.duckdb"]
    assert [str(version) for version in publishing.versions_there(bucket)] == ["1.0.0", "1.1.0", "1.1.1"]
    two.work()
    assert two.content() == one.content()


def test_of_two_that_published_apart_the_bucket_s_stands_and_the_other_is_set_aside(one: Machine, two: Machine) -> None:
    one.work("1.0.0")
    two.work()
    two.publish("1.1.0", run="made while the bucket was away")
    one.work("1.1.0")
    said = two.work()
    assert two.live.read_bytes() == one.live.read_bytes()
    assert "release 1.1.0, made here while another machine published, is set aside" in said[0]
    [aside] = two.store.folder.glob(".*.set-aside")
    assert (aside / "mart_score.parquet").exists()
    assert [str(release.version) for release in two.store.kept()] == ["1.0.0", "1.1.0"]


def test_a_machine_that_was_cut_off_for_long_puts_nothing_up_over_what_another_published(
    one: Machine, two: Machine, bucket: Bucket
) -> None:
    one.work("1.0.0")
    with at_work(one.settings, bucket.url) as shared:
        one.publish("1.1.0", run="made by one")
        for name in bucket.list(claim.FOLDER):
            bucket.delete(name)  # as another machine does once it has lapsed
        two.work("1.1.0")
    [problem] = shared.problems
    assert "another machine took over the bucket" in problem
    assert one.store.newest() is not None
    found = publishing.latest(bucket)
    assert found is not None
    assert found.run_id == "run-1.1.0"
    assert verify(bucket).problems == []
    one.work()
    assert one.live.read_bytes() == two.live.read_bytes()


def test_a_file_damaged_in_the_bucket_is_not_taken_and_is_said(one: Machine, two: Machine, bucket: Bucket) -> None:
    one.work("1.0.0")
    content = bucket.read("published/inclusive_growth-1.0.0.duckdb")
    bucket.write("published/inclusive_growth-1.0.0.duckdb", content[:-1] + b"x")
    said = two.work()
    assert not two.live.exists()
    assert any("is not what was uploaded" in sentence and "release 1.0.0 is not used" in sentence for sentence in said)


def test_verify_names_what_was_changed_in_the_bucket(
    one: Machine, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one.work("1.0.0")
    monkeypatch.setenv("IG_STORE_URL", bucket.url)
    monkeypatch.setenv("IG_DATA_DIR", str(one.settings.data_dir))
    assert main(["verify"]) == 0
    assert f"The bucket {bucket.url} was not looked at" in capsys.readouterr().out
    assert main(["verify", "--store"]) == 0
    assert "0 snapshots, 1 releases and 2 published files are intact" in capsys.readouterr().out
    bucket.write("releases/1.0.0/dim_area.parquet", b"something else")
    assert main(["verify", "--store"]) == 1
    assert "bucket: releases/1.0.0/dim_area.parquet: sha256 is " in capsys.readouterr().err


def test_a_release_that_is_only_in_the_bucket_is_listed_and_read_as_any_other(
    one: Machine, two: Machine, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one.work("1.0.0")
    one.work("1.1.0")
    two.work()
    monkeypatch.setenv("IG_STORE_URL", bucket.url)
    monkeypatch.setenv("IG_DATA_DIR", str(two.settings.data_dir))
    assert main(["releases"]) == 0
    newest, oldest, *_ = capsys.readouterr().out.splitlines()
    assert newest.startswith("1.1.0 ")
    assert newest.endswith("made for a test")
    assert oldest.startswith("1.0.0 ")
    assert oldest.endswith("made for a test (in the bucket)")
    for as_of, expected in (("2026-11-01", "1.0.0"), ("1.0.0", "1.0.0"), ("1.1.0", "1.1.0")):
        assert main(["query", "select version from mart_score", "--csv", "--as-of", as_of]) == 0
        assert capsys.readouterr().out.splitlines() == ["version", expected]
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert main(["query", "select version from mart_score", "--csv", "--as-of", "1.0.0"]) == 0
    assert main(["query", "select 1", "--as-of", "2026-11-01"]) == 0
    assert "cannot be reached" in capsys.readouterr().err
    assert main(["query", "select 1", "--as-of", "0.9.0"]) == 1


def test_old_releases_and_files_go_from_the_bucket_by_the_policy_of_the_disk(one: Machine, bucket: Bucket) -> None:
    for version in ("1.0.0", "1.1.0", "1.1.1", "1.2.0"):
        one.work(version)
    settings = Settings(one.settings.data_dir, store_url=bucket.url, keep_releases=2)
    assert [str(version) for version in prune(settings, bucket.url)[2]] == ["1.0.0", "1.1.0"]
    assert [str(version) for version in publishing.versions_there(bucket)] == ["1.1.1", "1.2.0"]
    assert sorted(bucket.list("published")) == [
        f"published/inclusive_growth-{version}.duckdb" for version in ("1.1.1", "1.2.0")
    ]
    assert not [name for name in bucket.list("releases") if name.startswith(("releases/1.0.0/", "releases/1.1.0/"))]
    assert verify(bucket).problems == []


def test_a_release_naming_a_file_outside_its_folder_is_refused(one: Machine, two: Machine, bucket: Bucket) -> None:
    one.work("1.0.0")
    text = bucket.read("releases/1.0.0/release.json")
    bucket.write("releases/1.0.0/release.json", text.replace(b'"dim_area.parquet"', b'"../../dim_area.parquet"'))
    said = two.work()
    assert any("names a file '../../dim_area.parquet'" in sentence for sentence in said)
    assert not (two.settings.marts_dir / "dim_area.parquet").exists()


def test_store_shows_both_sides_and_sync_makes_them_the_same(
    one: Machine, two: Machine, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one.work("1.0.0")
    monkeypatch.setenv("IG_DATA_DIR", str(two.settings.data_dir))
    assert main(["store"]) == 1
    assert "no bucket is set" in capsys.readouterr().err
    monkeypatch.setenv("IG_STORE_URL", bucket.url)
    assert main(["store"]) == 0
    shown = capsys.readouterr().out
    assert "newest release there: 1.0.0, 2026-11-01T03:00:00Z" in shown
    assert "newest release here:  none yet" in shown
    noted = two.settings.marts_dir / "made_from.json"
    noted.parent.mkdir(parents=True)
    noted.write_text("what a run on this machine knew of the file before")
    assert main(["store", "sync"]) == 0
    assert two.content() == one.content()
    assert not noted.exists()
    capsys.readouterr()
    assert main(["store", "sync"]) == 0
    assert capsys.readouterr().out == "This machine and the bucket hold the same.\n"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert main(["store", "sync"]) == 4
    assert "cannot be reached" in capsys.readouterr().out


def test_a_published_file_that_is_not_kept_as_a_release_is_not_put_up(one: Machine, bucket: Bucket) -> None:
    one.publish("1.0.0")
    for path in (one.store.folder / "1.0.0").iterdir():
        path.unlink()
    with pytest.raises(StoreProblem, match="is not kept as a release on this machine yet"):
        publishing.put_up(bucket, one.store, one.live)
    assert bucket.list("") == {}
