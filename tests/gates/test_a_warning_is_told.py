"""A night that published something the gates warn of tells people by default, in figures that people can read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.notify import Message, Recipients
from pipeline.run.nightly import Night, message_of
from pipeline.settings import Settings

WARNING = {"gate_id": "median_moved", "severity": "warn", "sentence": "claimant_rate: the typical district moved"}
LATE = {"gate_id": "too_old", "severity": "warn", "sentence": "ashe: is late"}


def message(tmp_path: Path, *gates: dict[str, Any]) -> Message:
    report = {"status": "published", "release": {"version": "1.2.0"}, "gates": list(gates), "parts": [1]}
    return message_of(Night(0), report, Settings(data_dir=tmp_path), datetime.now(UTC))


def test_a_published_file_with_a_warning_is_told_by_default(tmp_path: Path) -> None:
    told = message(tmp_path, WARNING)
    assert Recipients().want(told)
    assert told.subject == "Inclusive growth: published 1.2.0, with 1 warning of the gates"
    assert "claimant_rate: the typical district moved" in told.text


def test_a_published_file_without_one_is_told_to_those_who_asked_for_changes(tmp_path: Path) -> None:
    for quiet in (message(tmp_path), message(tmp_path, LATE)):
        assert not Recipients().want(quiet)
        assert Recipients(when="changes").want(quiet)
