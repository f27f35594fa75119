"""The semantic version of the data set, derived from what changed.

The rule is mySociety's for published data sets: removing something that queries rely on is major, different rows are
minor, different bytes with the same rows are patch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["first", "major", "minor", "patch"]
_WRITTEN = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})")


@dataclass(frozen=True, order=True)
class Version:
    """A version of the data set, ordered as versions are: 1.9.0 comes before 1.10.0."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Version:
        """Raises ValueError for a text that is not three whole numbers joined by dots."""
        match = _WRITTEN.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a version of the data set, such as 1.4.0")
        return cls(*(int(number) for number in match.groups()))

    def after(self, kind: Kind) -> Version:
        """The version of a release with changes of this ``kind``."""
        if kind == "major":
            return Version(self.major + 1, 0, 0)
        if kind == "minor":
            return Version(self.major, self.minor + 1, 0)
        return Version(self.major, self.minor, self.patch + 1)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


FIRST_VERSION = Version(1, 0, 0)
