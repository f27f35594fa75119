"""What another program did to the published file is found by every run and by verify, put right, and said in a sentence."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from pipeline import publish
from pipeline.published_digest import published_digests
from pipeline.run.context import Run
from pipeline.run.healing import heal
from pipeline.run.refresh import Outcome
from pipeline.settings import PROJECT_ROOT, Settings
from tests.small_world import small_world

SUM = "select sum(value) from fct_observation"
DOUBLED = "update fct_observation set value = value * 2"


@pytest.fixture
def settings(small_run: tuple[Run, Outcome], tmp_path: Path) -> Settings:
    """The data folder of a finished run, in a place of its own."""
    shutil.copytree(small_run[0].settings.data_dir, tmp_path / "data")
    return Settings(tmp_path / "data")


def figures(settings: Settings) -> float:
    with duckdb.connect(str(settings.database), read_only=True) as connection:
        [(total,)] = connection.execute(SUM).fetchall()
    return float(total)


def program(code: str, settings: Settings, **options: object) -> subprocess.CompletedProcess[str]:
    """Another program, a process of its own, that is given the published file and may write into it, as root may."""
    settings.database.chmod(0o644)
    command = [sys.executable, "-c", textwrap.dedent(code), str(settings.database)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)  # type: ignore[call-overload,no-any-return]


def verb(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline", *words]
    environment = {"IG_DATA_DIR": str(settings.data_dir), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        command, cwd=small_world().folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


DIES_WITH_A_LOG = f"""
    import os, sys, duckdb
    connection = duckdb.connect(sys.argv[1])
    connection.execute("set wal_autocheckpoint = '1TB'")
    connection.execute("{DOUBLED}")
    os._exit(9)
"""
WRITES = f"""
    import sys, duckdb
    with duckdb.connect(sys.argv[1]) as connection:
        connection.execute("{DOUBLED}")
"""


def test_what_is_published_can_be_read_and_not_written_and_its_digest_lies_beside_it(settings: Settings) -> None:
    live = settings.database
    assert live.stat().st_mode & 0o777 == 0o444
    held = live.with_name(f"{live.name}.sha256").read_text()
    assert held == f"{hashlib.sha256(live.read_bytes()).hexdigest()}  {live.name}\n"
    assert heal(settings) == []


def test_a_log_that_a_dead_program_left_is_set_aside_by_verify(settings: Settings) -> None:
    before = figures(settings)
    assert program(DIES_WITH_A_LOG, settings).returncode == 9
    assert figures(settings) == pytest.approx(2 * before)  # readers see the other program's figures
    found = verb(settings, "verify")
    assert found.returncode == 1
    log = f"{settings.database.name}.wal"
    assert f"another program left a log of its changes beside {settings.database.name}" in found.stderr
    assert f"it is kept as {log}.set-aside" in found.stderr
    assert figures(settings) == pytest.approx(before, rel=1e-12)
    assert settings.database.with_name(f"{log}.set-aside").stat().st_size > 1000
    assert verb(settings, "verify").returncode == 0


def test_a_log_that_nobody_can_read_is_set_aside_by_the_next_run_which_finds_nothing_new(settings: Settings) -> None:
    before, made = figures(settings), settings.database.stat().st_mtime_ns
    publish.write_ahead_log(settings.database).write_bytes(b"no log at all" * 100)
    run = verb(settings, "refresh", "--offline")
    assert run.returncode == 0, run.stderr
    assert "another program left a log of its changes" in " ".join(run.stdout.split())
    assert "Nothing new" in run.stdout
    assert settings.database.stat().st_mtime_ns == made
    assert figures(settings) == pytest.approx(before, rel=1e-12)
    report = json.loads((settings.marts_dir / "run_report.json").read_text())
    assert [sentence.split(" beside")[0] for sentence in report["mended"]] == [
        "another program left a log of its changes"
    ]
    assert "was put right" in (settings.marts_dir / "run_report.md").read_text()


def test_figures_that_another_program_wrote_are_replaced_by_those_of_the_kept_release(settings: Settings) -> None:
    before = figures(settings)
    assert program(WRITES, settings).returncode == 0
    assert figures(settings) == pytest.approx(2 * before)
    run = verb(settings, "refresh", "--offline")
    assert run.returncode == 0, run.stderr
    said = " ".join(run.stdout.split())
    assert "holds other bytes than were published; release 1.0.0, which is kept, took its place" in said
    assert "Nothing new" in said
    assert figures(settings) == pytest.approx(before, rel=1e-12)
    assert settings.database.stat().st_mode & 0o777 == 0o444
    aside = settings.database.with_name(f"{settings.database.name}.set-aside")
    with duckdb.connect(str(aside), read_only=True) as connection:
        assert connection.execute(SUM).fetchall()[0][0] == pytest.approx(2 * before)
    assert verb(settings, "verify").returncode == 0


@pytest.mark.parametrize("without", ["made_from.json", "inclusive_growth.duckdb.sha256", "both"])
def test_a_note_that_is_gone_does_not_hide_what_was_written(settings: Settings, without: str) -> None:
    before = figures(settings)
    assert program(WRITES, settings).returncode == 0
    names = ["made_from.json", f"{settings.database.name}.sha256"] if without == "both" else [without]
    for name in names:
        (settings.marts_dir / name).unlink()
    [sentence] = heal(settings)
    assert "release 1.0.0, which is kept, took its place" in sentence
    assert figures(settings) == pytest.approx(before, rel=1e-12)


@contextmanager
def held_for_writing(settings: Settings) -> Iterator[None]:
    code = """
        import sys, duckdb
        connection = duckdb.connect(sys.argv[1])
        print("open", flush=True)
        sys.stdin.read(1)
    """
    settings.database.chmod(0o644)
    command = [sys.executable, "-c", textwrap.dedent(code), str(settings.database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        try:
            yield
        finally:
            other.kill()


def test_a_file_that_another_program_holds_for_writing_is_left_to_it_and_readers_get_a_copy(settings: Settings) -> None:
    before, known = figures(settings), published_digests(settings.database)
    with held_for_writing(settings):
        with pytest.raises(duckdb.Error, match="lock"):
            duckdb.connect(str(settings.database), read_only=True)
        [sentence] = heal(settings)
        assert "a copy with the same bytes took its place" in sentence
        assert figures(settings) == pytest.approx(before, rel=1e-12)
    assert published_digests(settings.database) == known
    assert heal(settings) == []


@pytest.mark.parametrize("harm", ["cut short", "gone", "a folder", "no database"])
def test_whatever_is_in_the_place_of_the_file_the_kept_release_takes_it_again(settings: Settings, harm: str) -> None:
    before, live = figures(settings), settings.database
    if harm == "cut short":
        live.chmod(0o644)
        with live.open("r+b") as stream:
            stream.truncate(live.stat().st_size // 2)
    elif harm == "no database":
        live.unlink()
        live.write_text("figures, figures")
    else:
        live.unlink()
        if harm == "a folder":
            (live / "inside").mkdir(parents=True)
    sentences = heal(settings)
    assert sentences[-1].startswith(live.name)
    assert "release 1.0.0, which is kept, took its place" in sentences[-1]
    assert figures(settings) == pytest.approx(before, rel=1e-12)
    if harm == "a folder":
        assert (live.with_name(f"{live.name}.set-aside") / "inside").is_dir()
    assert heal(settings) == []


def test_folders_in_the_place_of_the_lock_and_the_notes_stop_no_night(settings: Settings) -> None:
    names = ["refresh.lock", "refresh.owner.json", "made_from.json", "run_report.json", "inclusive_growth.duckdb"]
    for name in names:
        path = settings.marts_dir / name
        if path.exists():
            path.unlink()
        (path / "inside").mkdir(parents=True)
    run = verb(settings, "refresh", "--offline", "--draws", "0")
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr
    assert all((settings.marts_dir / f"{name}.set-aside" / "inside").is_dir() for name in names)
    assert json.loads((settings.marts_dir / "run_report.json").read_text())["exit_code"] == 0
    assert figures(settings) > 0


def test_without_a_release_nothing_is_invented(settings: Settings) -> None:
    shutil.rmtree(settings.marts_dir / "releases")
    settings.database.unlink()
    assert heal(settings) == []
    settings.database.write_text("no database")
    [sentence] = heal(settings)
    assert "no release is kept to heal it from: the next run makes it anew" in sentence


def test_what_is_published_read_only_is_replaced_kept_and_cleaned_up_as_before(settings: Settings) -> None:
    live = settings.database
    candidate = publish.candidate_path(live)
    shutil.copyfile(live, candidate)
    publish.swap(candidate, live)
    assert live.stat().st_mode & 0o777 == 0o444
    clean = next(
        line.strip() for line in (PROJECT_ROOT / "Makefile").read_text().splitlines() if "find data/marts" in line
    )
    subprocess.run(clean, shell=True, cwd=settings.data_dir.parent, check=True)  # noqa: S602 - the Makefile's own line
    assert not list(settings.marts_dir.iterdir())
