"""What the last run knew: of what the live file was made, how it adds up, and when each table was asked about.

Kept as ``made_from.json`` beside the live file. It saves work and is never the truth: where it is missing, cannot be
read, or does not fit the live file, the code or the bytes held, a run does all its work and writes it anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from pipeline.atomic import write_atomically
from pipeline.raw import Digest, RawStore
from pipeline.run.results import Account, Counts, Tier
from pipeline.setting_aside import set_aside

FILE = "made_from.json"
FORMAT = 1


class News(Exception):
    """Something is not as the last run left it: figures have to be fetched, read or scored. The message says what."""


@dataclass(frozen=True)
class KnownPart:
    """What the last run found of one part; ``account`` is None where nothing gave figures."""

    indicator_id: str
    part_id: str
    tier: Tier
    source_id: str
    account: Account | None


@dataclass(frozen=True)
class RunState:
    """What the last run knew of the file it left live, and of its sources.

    ``code`` is `code_fingerprint()`, ``inputs`` the fingerprint of what the file was made from. ``looked_at`` says when
    each table was last asked about, by source and table. ``digests`` are those of stored payloads, by path below the raw
    store. ``kept`` are the files, beside the live one, by which it is kept as a release. ``account`` and ``set_aside`` are those of `Outcome`.
    """

    code: str
    inputs: str
    database_sha256: str
    parts: tuple[KnownPart, ...]
    counts: Counts = field(default_factory=Counts)
    kept: tuple[str, ...] = ()
    account: Mapping[str, int] = field(default_factory=dict)
    set_aside: Mapping[str, int] = field(default_factory=dict)
    looked_at: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)
    digests: Mapping[str, Digest] = field(default_factory=dict)

    @cached_property
    def accounts(self) -> Mapping[tuple[str, str, str, str], Account]:
        """By indicator, part, source and sha256 of the payload."""
        return {
            (part.indicator_id, part.part_id, part.source_id, part.account.payload_sha256): part.account
            for part in self.parts
            if part.account is not None
        }

    def is_of(self, database: Path) -> bool:
        """Whether a file is the one that was left live, byte for byte."""
        return sha256_of(database) == self.database_sha256

    def is_kept(self, folder: Path) -> bool:
        """Whether the file that was left live in ``folder`` is kept as a release, as far as names tell."""
        return all((folder / name).is_file() for name in self.kept)


@dataclass(frozen=True)
class Look:
    """How a run looks for news: at what the last one knew, and at a store that does not read files it knows again."""

    state: RunState
    raw: RawStore

    def account_of(self, indicator_id: str, part_id: str, source_id: str, payload_sha256: str) -> Account:
        """What the last run made of a part's bytes. Raises News where it used others."""
        try:
            return self.state.accounts[indicator_id, part_id, source_id, payload_sha256]
        except KeyError:
            raise News(f"{indicator_id} ({part_id}): {source_id} holds other figures than those published") from None


def sha256_of(path: Path) -> str | None:
    """The sha256 of a file, taken once as long as it stays the same; None where it cannot be read."""
    try:
        state = path.stat()
        return _sha256(path, state.st_ino, state.st_mtime_ns, state.st_size)
    except OSError:
        return None


@lru_cache(maxsize=8)
def _sha256(path: Path, *_state: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_run_state(folder: Path) -> RunState | None:
    """What the last run wrote into ``folder``; None where that is missing, damaged or of another format."""
    try:
        held = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if held.pop("format") != FORMAT:
            return None
        return RunState(
            parts=tuple(_part(part) for part in held.pop("parts")),
            counts=Counts(**held.pop("counts")),
            kept=tuple(held.pop("kept")),
            looked_at={
                source_id: {table: datetime.fromisoformat(moment) for table, moment in tables.items()}
                for source_id, tables in held.pop("looked_at").items()
            },
            digests={path: Digest(*digest) for path, digest in held.pop("digests").items()},
            **held,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_run_state(folder: Path, state: RunState) -> None:
    """Write what this run knew into ``folder``. Raises OSError."""
    known = {"format": FORMAT} | asdict(state)
    known["looked_at"] = {
        source_id: {table: moment.isoformat() for table, moment in tables.items()}
        for source_id, tables in state.looked_at.items()
    }
    write_atomically(folder / FILE, (json.dumps(known, default=str) + "\n").encode())


def forget(folder: Path) -> None:
    """Drop what is known of the live file of ``folder``, which is about to be another. Raises OSError."""
    if (folder / FILE).is_dir():
        set_aside(folder / FILE)
    (folder / FILE).unlink(missing_ok=True)


def _part(held: Mapping[str, Any]) -> KnownPart:
    account = held["account"]
    if account is None:
        return KnownPart(**held)
    latest = account["latest_period_end"]
    known = {
        "latest_period_end": None if latest is None else date.fromisoformat(latest),
        "warnings": tuple(account["warnings"]),
    }
    return KnownPart(**{**held, "account": Account(**{**account, **known})})
