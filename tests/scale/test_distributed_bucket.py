"""Two workers without a disk in common: the one at work dies, and the other goes on from the bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from pipeline.raw import RawStore
from pipeline.run.context import open_run
from pipeline.run.refresh import refresh
from pipeline.settings import Settings
from pipeline.storage import lease as claim
from pipeline.storage import publishing
from pipeline.storage.bucket import Bucket, open_bucket
from pipeline.storage.session import at_work
from pipeline.storage.verifying import verify
from tests.flows.servers import AUTOMATIONS, on_request, postgres_server, prefect_server, wait_for
from tests.scale.bucket_server import BUCKET, BucketServer
from tests.scale.test_bucket_snapshots import KEY, put

pytestmark = [on_request, pytest.mark.timeout(1200)]
URL = f"s3://{BUCKET}/distributed"


@dataclass
class Night:
    """What is left of a night whose first machine died: the disks of both, and the bucket."""

    dead: Path
    alive: Path
    bucket: Bucket


@pytest.fixture(scope="module")
def night(s3: BucketServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """An earlier machine left release 1.0.0 and an answer in the bucket; then a run dies, and another takes its place."""
    folder = tmp_path_factory.mktemp("distributed-bucket")
    disks = {name: folder / name for name in ("one", "two")}
    with (
        pytest.MonkeyPatch.context() as patch,
        postgres_server() as address,
        prefect_server(folder, PREFECT_SERVER_DATABASE_CONNECTION_URL=address) as server,
    ):
        for name, value in s3.environment.items():
            patch.setenv(name, value)
        bucket = open_bucket(URL)
        leave_in_bucket(Settings(folder / "earlier", store_url=URL))
        server.deploy()
        server.prefect("automation", "create", "--from-file", str(AUTOMATIONS))
        first_worker, second_worker = (
            server.start_worker(name, IG_DATA_DIR=str(disk), IG_STORE_URL=URL, **s3.environment)
            for name, disk in disks.items()
        )
        first = server.run(offline=True, quick=True, report=False)
        server.wait_until_at(first, "build the marts")
        died, stayed = (
            (first_worker, second_worker) if first_worker.flow_run_processes() else (second_worker, first_worker)
        )
        died.lose_its_machine()
        assert len(claim.holders(bucket)) == 1
        second = wait_for("a run in the place of the one that died", lambda: server.successor_of(first), 300)
        state = server.wait_until_ended(second)
        assert state["type"] == "COMPLETED", server.log_of(stayed)
        yield Night(disks[died.name], disks[stayed.name], bucket)


def leave_in_bucket(settings: Settings) -> None:
    """What an earlier machine left: a first release, and an answer of a publisher."""
    with at_work(settings, URL) as shared:
        refresh(open_run(settings, offline=True, draws=0))
        put(settings.raw_dir, b"the last good answer")
    assert shared.problems == []


def versions(database: Path) -> list[str]:
    with duckdb.connect(str(database), read_only=True) as connection:
        found = connection.execute("select release_version from meta_release order by released_at").fetchall()
    return [version for (version,) in found]


def test_the_other_machine_publishes_after_the_release_of_the_bucket(night: Night) -> None:
    first, second = versions(night.alive / "marts" / "inclusive_growth.duckdb")
    assert first == "1.0.0"
    found = publishing.latest(night.bucket)
    assert found is not None
    assert str(found.version) == second
    assert verify(night.bucket).problems == []
    assert claim.holders(night.bucket) == []


def test_the_other_machine_holds_the_last_good_answers_of_the_first(night: Night) -> None:
    snapshot, _ = RawStore(night.alive / "raw").latest_good(KEY)
    assert snapshot is not None
    assert RawStore(night.alive / "raw").read(snapshot).content == b"the last good answer"


def test_what_the_dead_machine_had_half_built_is_nowhere_else(night: Night) -> None:
    assert versions(night.dead / "marts" / "inclusive_growth.duckdb") == ["1.0.0"]
    assert len(publishing.versions_there(night.bucket)) == 2
