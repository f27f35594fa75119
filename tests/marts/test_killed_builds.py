"""A build that is ended from outside, in the small world: what is published stays, and the next run cleans up."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pipeline import publish
from pipeline.publish import candidate_path
from pipeline.run.context import Run
from pipeline.run.refresh import Outcome, refresh
from tests.small_world import World


@pytest.mark.parametrize(
    "step", ["assemble", "score", "write_studies", "number_release", "publish.check_candidate", "publish.swap"]
)
def test_a_run_that_dies_at_any_step_leaves_the_published_file_as_it_was(
    tmp_path: Path, in_small_world: World, small_run: tuple[Run, Outcome], step: str
) -> None:
    """A real process, ended from outside at the start of the step, as a power cut would."""
    live = tmp_path / "marts" / "inclusive_growth.duckdb"
    live.parent.mkdir()
    live_before = small_run[0].settings.database.read_bytes()
    live.write_bytes(live_before)
    script = f"""
        import os, signal
        from pathlib import Path
        from pipeline.run import rebuild as steps
        from pipeline.run.context import open_run
        from pipeline.run.refresh import refresh
        from pipeline.settings import Settings
        steps.{step} = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)
        refresh(open_run(Settings(Path({str(tmp_path)!r})), offline=True), force=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    ended = subprocess.run(command, cwd=in_small_world.folder, env=in_small_world.environment, check=False)
    assert ended.returncode == -9
    assert live.read_bytes() == live_before


def test_the_run_after_a_killed_one_succeeds_and_cleans_up(in_small_world: World, offline_context: Run) -> None:
    live = offline_context.settings.database
    live.parent.mkdir(parents=True)
    (live.parent / f".{live.stem}.999999999.building.duckdb").write_bytes(b"half a file")
    assert refresh(offline_context).is_new
    notes = {f"{live.name}.sha256", "made_from.json", "release.json"}
    assert {path.name for path in live.parent.iterdir()} == {live.name, *notes, "releases"}
    assert candidate_path(live).exists() is False
    assert publish.live_fingerprint(live)
