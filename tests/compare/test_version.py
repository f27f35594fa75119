"""The version of the data set says what a reader of the last one has to expect."""

from __future__ import annotations

import pytest

from pipeline.compare.version import Kind, Version


@pytest.mark.parametrize(("kind", "expected"), [("major", "2.0.0"), ("minor", "1.10.0"), ("patch", "1.9.5")])
def test_a_version_moves_on_by_kind(kind: Kind, expected: str) -> None:
    assert str(Version(1, 9, 4).after(kind)) == expected


def test_versions_are_ordered_as_numbers() -> None:
    assert max(map(Version.parse, ["1.9.0", "1.10.0", "1.2.99"])) == Version(1, 10, 0)


@pytest.mark.parametrize("text", ["1.0", "v1.0.0", "1.0.0-rc", ""])
def test_other_texts_are_no_versions(text: str) -> None:
    with pytest.raises(ValueError, match=r"such as 1\.4\.0"):
        Version.parse(text)
