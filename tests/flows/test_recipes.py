"""The recipes of docs/recipes do what they say: their commands are run as they stand, in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest
import yaml

from pipeline.settings import PROJECT_ROOT, url_variables
from pipeline.stopping import EXIT_BY_SYSTEM
from tests.small_world import DISTRICTS, small_world

RECIPES = PROJECT_ROOT / "docs" / "recipes"
HOME_IN_RECIPES = "/opt/inclusive-growth-pipeline"
PARTS = ("pipeline", "flows", "schemas", "docs", "Makefile", "requirements.lock", "requirements-dev.lock")
STALE = 4  # published, but nobody could be asked


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, of the small world, that uses this one's virtual environment."""
    if not (PROJECT_ROOT / ".venv" / ".installed").exists():
        pytest.skip("the recipes need the virtual environment of `make setup`")
    folder = tmp_path_factory.mktemp("copy") / "project"
    for name in PARTS:
        source = PROJECT_ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
            os.utime(folder / name, (0, 0))  # the environment is as new as the locks
    shutil.copytree(small_world().folder, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".venv").symlink_to(PROJECT_ROOT / ".venv", target_is_directory=True)
    return folder


@pytest.fixture(scope="module")
def closed_network(copy: Path) -> dict[str, str]:
    """An environment in which every publisher is a closed port of this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IG_", "PREFECT_", "NOMIS_"))}
    return kept | dict.fromkeys(url_variables().values(), "http://127.0.0.1:9")


@pytest.fixture(scope="module")
def cron_run(copy: Path, closed_network: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The crontab's command, run as cron does: by its shell, with its variables."""
    _, command, variables = crontab()
    variables |= {"PROJECT": str(copy), "LOG": str(copy / "nightly.log")}
    return run([variables["SHELL"], "-c", quick(command)], copy.parent, closed_network | variables)


def crontab() -> tuple[list[str], str, dict[str, str]]:
    """(five fields of time, command, variables) of the recipe."""
    lines = [line for line in (RECIPES / "crontab").read_text().splitlines() if line and not line.startswith("#")]
    variables = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))
    (entry,) = [line for line in lines if not re.match(r"[A-Z_]+=", line)]
    *times, command = entry.split(maxsplit=5)
    return times, command, variables


def quick(command: str) -> str:
    """The command as it stands but for 100 draws in the place of 2,000 and no studies, which would take minutes."""
    assert command.count("-m pipeline nightly") <= 1
    return command.replace("-m pipeline nightly", "-m pipeline nightly --quick")


def run(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_crontab_runs_once_a_night() -> None:
    times, command, _ = crontab()
    assert times == ["17", "3", "*", "*", "*"]
    assert "%" not in command  # which cron would take for a line break


@pytest.mark.slow
def test_the_crontabs_command_publishes_and_keeps_a_log(copy: Path, cron_run: subprocess.CompletedProcess[str]) -> None:
    assert cron_run.stderr == ""
    with duckdb.connect(str(copy / "data" / "marts" / "inclusive_growth.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from mart_area_profile").fetchone() == (len(DISTRICTS),)
    log = (copy / "nightly.log").read_text()
    assert "Inclusive growth: published 1.0.0, with sources that gave no figures today" in log
    assert (copy / "data" / "marts" / "report" / "index.html").exists()


@pytest.mark.slow
def test_cron_mails_the_end_of_a_night_that_did_not_go_well(cron_run: subprocess.CompletedProcess[str]) -> None:
    assert "Not reached: ons_els" in cron_run.stdout
    assert len(cron_run.stdout.splitlines()) <= 25


def workflow() -> dict:
    # YAML 1.1 reads the key `on` as true
    found: dict = yaml.safe_load((RECIPES / "github-actions.yml").read_text())
    return found


def test_the_workflow_runs_at_night_and_by_hand_one_at_a_time() -> None:
    triggers = workflow()[True]
    assert triggers["schedule"] == [{"cron": "17 3 * * *"}]
    assert "workflow_dispatch" in triggers
    assert workflow()["concurrency"]["cancel-in-progress"] is False
    assert workflow()["permissions"] == {"contents": "read"}


def test_every_action_is_pinned_to_a_version() -> None:
    """To a commit, since a tag can be moved, with the tag beside it for people."""
    used = [step["uses"] for step in workflow()["jobs"]["refresh"]["steps"] if "uses" in step]
    written = re.findall(r"uses: (\S+) # v\d+\.\d+\.\d+\n", (RECIPES / "github-actions.yml").read_text())
    assert len(used) == 5
    assert written == used
    assert all(re.fullmatch(r"actions/[a-z/-]+@[0-9a-f]{40}", name) for name in used)


def test_what_a_red_night_fetched_or_refused_is_kept_for_the_next_one() -> None:
    steps = workflow()["jobs"]["refresh"]["steps"]
    (restore,) = [step for step in steps if "/cache/restore@" in step.get("uses", "")]
    (save,) = [step for step in steps if "/cache/save@" in step.get("uses", "")]
    (artefact,) = [step for step in steps if "/upload-artifact@" in step.get("uses", "")]
    assert save["if"] == artefact["if"] == "always()"
    assert save["with"].items() <= restore["with"].items()
    assert "inclusive_growth.refused.duckdb" in artefact["with"]["path"]


@pytest.mark.slow
def test_a_refused_file_is_accepted_with_the_reason_given_and_no_shell_reads_it(
    copy: Path, closed_network: dict[str, str], tmp_path: Path
) -> None:
    (step,) = [step for step in workflow()["jobs"]["refresh"]["steps"] if step.get("name") == "Accept"]
    assert (step["if"], step["env"]) == ("inputs.accept", {"REASON": "${{ inputs.accept }}"})
    reason = {"REASON": f'ONS "rebased" it; $(touch {tmp_path / "ran"})', "IG_DATA_DIR": str(tmp_path / "data")}
    ended = run(["bash", "-e", "-o", "pipefail", "-c", step["run"]], copy, closed_network | reason)
    assert ended.returncode == 1
    assert "nothing to accept" in ended.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
def test_the_workflows_commands_run_and_show_the_run_report(
    copy: Path, closed_network: dict[str, str], cron_run: subprocess.CompletedProcess[str]
) -> None:
    summary = copy / "summary.md"
    for step in workflow()["jobs"]["refresh"]["steps"]:
        if "run" in step and "if" not in step:  # GitHub's own way of running a block: bash with -e and pipefail
            command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", quick(step["run"])]
            ended = run(command, copy, closed_network | {"GITHUB_STEP_SUMMARY": str(summary)})
            assert ended.returncode == 0, ended.stderr  # exit code 4 of the night is no red run
    assert "nothing new" in summary.read_text()
    assert "## The night" in summary.read_text()


@pytest.mark.slow
def test_a_night_that_fails_makes_the_workflow_red(copy: Path, closed_network: dict[str, str]) -> None:
    (block,) = [s["run"] for s in workflow()["jobs"]["refresh"]["steps"] if s.get("name") == "Refresh"]
    broken = closed_network | {"GITHUB_STEP_SUMMARY": str(copy / "red.md"), "IG_NOTIFY": "sometimes"}
    ended = run(["bash", "-e", "-o", "pipefail", "-c", block], copy, broken)
    assert ended.returncode == 1
    assert "IG_NOTIFY is 'sometimes'" in ended.stderr


def unit(name: str) -> dict[str, str]:
    """The settings of a unit file; none of ours is given twice."""
    lines = (RECIPES / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


@pytest.mark.slow
def test_the_units_commands_run_and_stale_sources_are_no_failure(
    copy: Path, closed_network: dict[str, str], cron_run: subprocess.CompletedProcess[str]
) -> None:
    service = unit("inclusive-growth.service")
    for setting in ("ExecStartPre", "ExecStart"):
        command = quick(service[setting]).replace(HOME_IN_RECIPES, str(copy)).split()
        ended = run(command, copy, closed_network)
        assert ended.returncode in (0, STALE), ended.stderr
    assert list(map(int, service["SuccessExitStatus"].split())) == [STALE, EXIT_BY_SYSTEM]
    assert "nothing new" in ended.stdout


def test_systemd_accepts_the_units(tmp_path: Path, copy: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here")
    for name in ("inclusive-growth.service", "inclusive-growth.timer"):
        text = (RECIPES / name).read_text().replace(HOME_IN_RECIPES, str(copy))
        (tmp_path / name).write_text(text.replace("User=inclusive-growth", "User=root"))
    units = [str(path) for path in sorted(tmp_path.iterdir())]
    ended = run(["systemd-analyze", "verify", "--recursive-errors=no", *units], tmp_path, dict(os.environ))
    assert (ended.returncode, ended.stderr.strip()) == (0, "")


def test_systemd_reads_the_timers_calendar_as_every_night_in_london(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here")
    calendar = unit("inclusive-growth.timer")["OnCalendar"]
    ended = run(["systemd-analyze", "calendar", "--iterations=2", calendar], tmp_path, dict(os.environ))
    assert ended.returncode == 0, ended.stderr
    assert "03:17:00 Europe/London" in ended.stdout


def test_the_automation_and_the_team_settings_can_be_read() -> None:
    (automation,) = yaml.safe_load((RECIPES / "prefect-automations.yaml").read_text())["automations"]
    assert automation["trigger"]["posture"] == "Proactive"
    lines = [line for line in (RECIPES / "team.env").read_text().splitlines() if line and not line.startswith("#")]
    assert {line.split("=")[0] for line in lines} >= {"PREFECT_API_URL", "IG_TASK_RUNNER", "IG_DATA_DIR"}
