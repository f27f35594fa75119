from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.geography.register_tables import FACTS_DIR, TABLES
from tools.register.__main__ import main
from tools.register.build_register import write_facts


def test_the_committed_facts_are_what_the_builder_writes_from_its_sources(shared_data: Path, tmp_path: Path) -> None:
    written = write_facts(shared_data, tmp_path)
    assert sorted(path.stem for path in written) == sorted(TABLES)
    for path in written:
        assert path.read_text(encoding="utf-8") == (FACTS_DIR / path.name).read_text(encoding="utf-8"), path.name


def test_a_missing_source_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(FileNotFoundError, match="uk_local_authorities_current"):
        write_facts(tmp_path, tmp_path / "facts")
    assert main(["--from", str(tmp_path)]) == 1
    assert "uk_local_authorities_current.csv is missing" in capsys.readouterr().err
