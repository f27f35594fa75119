"""`doctor` and `geography` as people run them, the contact publishers are given, and optional indicators."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.geography import load_register
from pipeline.http.client import HttpClient
from pipeline.http.hosts import Host
from pipeline.publishers import doctor
from pipeline.publishers.registry import publisher_of_source
from pipeline.run.context import Run
from pipeline.run.geography_check import differences
from pipeline.run.job import exit_code
from pipeline.run.notes import notes_of
from pipeline.run.refresh import Outcome
from pipeline.run.run_report import awaited_words, run_report, table_rows
from pipeline.settings import Settings, SettingsError, settings_from_environment, url_variables
from tests.standin.server import StandIn


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[StandIn]:
    """A stand-in the environment points to, asked without pauses."""
    monkeypatch.setattr(Host, "take_turn", lambda self, requests_per_second: None)
    with StandIn() as running:
        for variable, url in running.environment.items():
            monkeypatch.setenv(variable, url)
        monkeypatch.setenv("IG_DATA_DIR", str(tmp_path))
        yield running


def test_doctor_has_a_line_for_every_question_and_fails_where_something_moved(
    standin: StandIn, capsys: pytest.CaptureFixture[str], publishers_files: Path
) -> None:
    standin.faults.switch_on("moved_file", "IoD2025")
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("ok ") for line in lines) >= 40
    moved = [line for line in lines if line.startswith("NOT ")]
    assert [line for line in moved if "IoD2025" in line and "moved or refused" in line]
    assert lines[-1].endswith("questions were answered as they should be.")


def test_doctor_exits_0_where_all_is_well(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "publishers", lambda: (publisher_of_source("ons_els"),))
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "2 of 2 questions" in out
    assert "Set IG_CONTACT to a web or mail address" in out
    monkeypatch.setenv("IG_CONTACT", "data@example.org")
    assert main(["doctor"]) == 0
    assert "IG_CONTACT" not in capsys.readouterr().out


def test_doctor_says_once_of_each_source_that_there_is_no_way_to_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable in url_variables().values():
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert sum("unreachable" in line for line in lines) == 7
    assert len([line for line in lines if line.startswith("NOT  nomis: the same for ")]) == 1
    assert lines[-1].startswith("0 of ")
    assert len(lines) < 16


def test_geography_says_which_service_answered_and_what_differs(
    standin: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str], publishers_files: Path
) -> None:
    boundaries = tmp_path / "districts.geojson"
    assert main(["geography", "--boundaries", str(boundaries)]) == 1
    out = capsys.readouterr().out
    assert "district names: 361 rows from LAD_APR_2023_UK_NC" in out
    assert "E08000016: the portal's map is older, the register has E08000038 in its place" in out
    assert "district to combined authority: 106 rows from LAD25_CAUTH25_EN_LU\n  as in the register" in out
    saved = json.loads(boundaries.read_text())
    assert saved["type"] == "FeatureCollection"
    assert len(saved["features"]) > 350


def test_a_district_in_another_region_or_under_another_name_is_told() -> None:
    register = load_register()
    row = {"LAD25CD": "E06000001", "LAD25NM": "Hartlepool", "RGN25CD": "E12000009", "RGN25NM": "South West"}
    assert "E06000001: region E12000001 in the register, E12000009 in the portal's table" in differences(
        "district_to_region", [row], register
    )
    found = differences("district_names", [row | {"LAD25NM": "Harrogate-on-Sea"}], register)
    assert "E06000001: 'Hartlepool' in the register, 'Harrogate-on-Sea' in the portal's table" in found
    assert "E06000002: the register has it, the portal does not list it" in found
    assert "E99999998: the portal lists it, the register does not know it as a district" in differences(
        "district_names", [{"LAD25CD": "E99999998", "LAD25NM": "Nowhere"}], register
    )


def test_the_contact_of_the_environment_is_what_publishers_read(standin: StandIn, tmp_path: Path) -> None:
    settings = settings_from_environment({"IG_CONTACT": "data@example.org", "IG_DATA_DIR": str(tmp_path)})
    client = HttpClient({}, settings)
    assert client.user_agent.endswith("(+data@example.org)")
    assert HttpClient({}, Settings(tmp_path)).user_agent.endswith("(whoever runs this gave no contact)")
    client.close()


@pytest.mark.parametrize(
    "contact", ["müller@example.org", "a b@example.org", "x\nHost: evil", "x(y)@example.org", "ab"]
)
def test_a_contact_no_header_can_carry_is_refused(contact: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="IG_CONTACT must be"):
        settings_from_environment({"IG_CONTACT": contact})


def test_a_wrong_contact_is_a_sentence_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IG_CONTACT", "two words")
    assert main(["doctor"]) == 1
    assert main(["refresh", "--offline"]) == 1
    assert capsys.readouterr().err.count("error: IG_CONTACT must be") == 2


def test_optional_indicators_without_figures_are_one_line_and_no_failure(
    offline_run: tuple[Run, Outcome],
) -> None:
    context, outcome = offline_run
    assert "jobs_density" in {result.indicator_id for result in outcome.awaited}
    assert outcome.missing == []
    assert exit_code(outcome, strict=False) == 0
    assert "optional indicators have no figures yet" in str(awaited_words(outcome))
    assert not [row for row in table_rows(outcome.results, context.started_at) if row[0] == "jobs_density"]
    assert "jobs_density" in run_report(context.settings, notes_of(context, outcome.results), outcome)["no_figures_yet"]
