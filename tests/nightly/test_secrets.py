"""Keys and addresses that are secret are in nothing a night leaves behind, whatever its publishers do with them."""

from __future__ import annotations

import functools
import logging
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.notify import Message, Recipients, send
from pipeline.run import job, nightly
from pipeline.run.context import open_run
from pipeline.run.job import JobOptions, run_job
from pipeline.run.refresh import Outcome, refresh
from pipeline.settings import Settings, settings_from_environment
from tests.quick import quick
from tests.small_world import World, whole_catalogue
from tests.standin.server import StandIn
from tests.standin.short import short_catalogue

pytestmark = pytest.mark.slow

KEY = "0xplantedkeythatmustnotshow"
WEBHOOK_PATH = "/services/T0PLANTED/B0HOOK/secretpath"
MAIL_SECRET = "planted-mail-password"  # noqa: S105 - planted to be looked for
SECRETS = (KEY, "T0PLANTED", "secretpath", MAIL_SECRET)
# What publishers do with the address they were asked for: quote it, send us on with it, break off, or say no.
FAULTS = {
    "echoed_address": r"NM_17_5\.data",
    "redirect": r"NM_99_1",
    "unavailable": r"NM_127_1|NM_162_1",
    "internal_error": r"NM_30_1\.data",
    "dropped_connection": r"NM_57_1|NM_142_1",
    "html_200": r"employment-rate",
    "truncated_body": r"child",
}


@pytest.fixture(scope="module")
def standin(in_small_world: World) -> Iterator[StandIn]:
    with StandIn(faults=FAULTS) as running:
        yield running


def environment(standin: StandIn, folder: Path) -> dict[str, str]:
    return {
        **standin.environment,
        "IG_DATA_DIR": str(folder),
        "NOMIS_UID": KEY,
        # Nobody listens there, so each message fails, which is when an address is most easily let slip.
        "IG_WEBHOOK_URL": f"http://127.0.0.1:9{WEBHOOK_PATH}",
        "IG_SMTP_URL": f"smtp://someone:{MAIL_SECRET}@127.0.0.1:9",
        "IG_MAIL_TO": "someone@example.org",
        "IG_NOTIFY": "always",
        "IG_FIRST_SCORED_YEAR": "2019",
    }


def test_a_night_of_faults_leaves_no_secret_anywhere(
    in_small_world: World,
    standin: StandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name, value in environment(standin, tmp_path).items():
        monkeypatch.setenv(name, value)
    # Only the pace is otherwise than at night; all that is asked, checked, stored and said is the same.
    hurried = functools.partial(
        open_run, catalogue=short_catalogue(whole_catalogue()), throttle=False, backoff_seconds=0.01
    )
    monkeypatch.setattr(job, "open_run", hurried)
    caplog.set_level(logging.DEBUG)
    settings = settings_from_environment()

    def run(options: JobOptions, settings: Settings) -> int:
        return run_job(refresh, replace(options, draws=0), settings=settings)

    steps = nightly.NightlySteps(run, lambda settings: None, nightly.prune, send)
    night = nightly.run_night(steps, nightly.NightlyOptions(is_quick=True, has_report=False), settings)

    assert standin.count(KEY) > 5, "the key was not even sent"
    assert night.code == 4, "the faults were not noticed"
    said = capfd.readouterr()
    assert "could not be" in said.out + said.err or "webhook" in (said.out + said.err).lower()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    kinds = {path.suffix for path in files}
    assert {".duckdb", ".json", ".md", ".csv"} <= kinds
    assert [path for path in files if any(secret.encode() in path.read_bytes() for secret in SECRETS)] == []
    assert [path for path in files if any(secret in str(path) for secret in SECRETS)] == []
    for text in (said.out, said.err, caplog.text, repr(settings), repr(night)):
        assert [secret for secret in SECRETS if secret in text] == []


def test_a_crash_that_quotes_the_key_leaves_it_in_no_file_and_tells_nobody(tmp_path: Path) -> None:
    """A defect may put anything into the text of an exception; the run report holds that text, and people are sent it."""
    told: list[str] = []

    def crash(*_: object, **__: object) -> Outcome:
        raise RuntimeError(f"https://publisher.example/data?uid={KEY} is no table")

    def tell(message: Message, _: Recipients) -> list[str]:
        told.append(f"{message.subject} {message.text}")
        return []

    settings = quick(tmp_path, nomis_uid=KEY)
    steps = nightly.NightlySteps(
        lambda options, where: run_job(crash, options, settings=where), lambda _: None, nightly.prune, tell
    )
    with pytest.raises(RuntimeError) as raised:
        nightly.run_night(steps, nightly.NightlyOptions(offline=True, has_report=False), settings)
    report = (tmp_path / "marts" / "run_report.json").read_text(encoding="utf-8")
    assert "uid=(key) is no table" in report
    assert "Traceback" in report
    assert len(told) == 1
    assert "is no table" in told[0]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []
    assert KEY not in told[0]
    # what Python prints of it, and Prefect keeps
    assert KEY not in "".join(traceback.format_exception(raised.value))


def test_the_environment_is_the_only_way_in_for_a_key_and_repr_shows_none() -> None:
    with_key = settings_from_environment({"NOMIS_UID": KEY})
    assert with_key.nomis_uid == KEY
    assert settings_from_environment({}).nomis_uid is None
    assert KEY not in repr(with_key)
