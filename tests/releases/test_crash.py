"""A run that is ended from outside, at any moment of numbering and keeping, costs neither a file nor a release."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import duckdb
import pytest

from pipeline.releases import ReleaseStore
from pipeline.run.context import Run, open_run
from pipeline.run.refresh import Outcome, refresh
from pipeline.settings import Settings
from tests.small_world import World

pytestmark = pytest.mark.slow

# Where the process is ended, and whether the new file is live by then.
MOMENTS = [
    ("pipeline.run.rebuild.number_release", False),
    ("pipeline.compare.stamping._fill", False),
    ("pipeline.publish._flush_folder", True),
    ("pipeline.releases.release_folder.schema_sql", True),
    ("pipeline.releases.release_folder._release", True),
    (
        "pipeline.releases.release_folder.ReleaseStore.prune",
        False,
    ),  # the first thing before the swap, where nothing is to be kept
]


def versions(path: Path) -> list[str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute("select release_version from meta_release order by released_at").fetchall()
        assert connection.execute("select count(*) > 0 from mart_score").fetchall() == [(True,)]
    return [version for (version,) in found]


def test_after_a_kill_at_any_moment_there_is_a_whole_file_and_the_next_run_loses_no_release(
    in_small_world: World, small_run: tuple[Run, Outcome], tmp_path: Path
) -> None:
    settings = Settings(tmp_path)
    settings.marts_dir.mkdir()
    shutil.copyfile(small_run[0].settings.database, settings.database)
    store, expected = ReleaseStore(settings.database, 12), ["1.0.0"]
    for place, is_live in MOMENTS:
        store.keep()
        module, _, name = place.rpartition(".")
        if module.endswith("ReleaseStore"):
            module, name = module.removesuffix(".ReleaseStore"), f"ReleaseStore.{name}"
        script = f"""
            import importlib, os, signal
            from pathlib import Path
            from pipeline.run import rebuild as steps
            from pipeline.run.context import open_run
            from pipeline.settings import Settings
            *path, name = {name!r}.split(".")
            target = importlib.import_module({module!r})
            for part in path:
                target = getattr(target, part)
            setattr(target, name, lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL))
            context = open_run(Settings(Path({str(tmp_path)!r})), offline=True, draws=0)
            import shutil
            candidate = steps.publish.candidate_path(context.settings.database)
            steps.publish.remove_leftovers(context.settings.database)
            shutil.copyfile(context.settings.database, candidate)
            import duckdb
            with duckdb.connect(str(candidate)) as connection:
                connection.execute("update meta_run set built_at = built_at + interval 1 hour, run_id = {place!r}")
                connection.execute("delete from meta_gate")
            steps.check_and_publish(context.inputs, context.stores, candidate, [], context.started_at.date())
            steps.keep_release(context.settings)
        """
        command = [sys.executable, "-c", textwrap.dedent(script)]
        ended = subprocess.run(command, cwd=in_small_world.folder, check=False, capture_output=True, text=True)
        assert ended.returncode == -9, f"{place}: {ended.stderr}"
        expected += [f"1.0.{len(expected)}"] if is_live else []
        assert versions(settings.database) == expected, place
    outcome = refresh(open_run(settings, offline=True, draws=0), force=True)
    assert outcome.release is not None
    kept = [str(release.version) for release in store.kept()]
    assert kept[-2:] == [expected[-1], str(outcome.release.version)]
    assert not [path for path in store.folder.iterdir() if path.name.startswith(".")]
    assert not [path for path in settings.marts_dir.iterdir() if path.name.startswith(".")]


def test_a_disk_that_is_full_costs_the_record_and_not_the_release(
    in_small_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipeline.releases.release_folder.ReleaseStore._write_tables", full)
    settings = Settings(tmp_path)
    outcome = refresh(open_run(settings, offline=True, draws=0))
    assert outcome.is_new
    assert outcome.keeping_problem is not None
    assert "No space left on device" in outcome.keeping_problem
    assert versions(settings.database) == ["1.0.0"]
    monkeypatch.undo()
    again = refresh(open_run(settings, offline=True, draws=0))
    assert not again.is_new
    assert [str(release.version) for release in ReleaseStore(settings.database, 12).kept()] == ["1.0.0"]
