"""Locations and hosts, read from the environment once.

Every setting has a default that works on a laptop. Each can be overridden, so that a stand-in server or a mirror
answers instead of the publisher.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pipeline.errors import PipelineError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
SOURCES_FILE = Path(__file__).resolve().parent / "catalogue" / "sources.yaml"
BASELINE_DIR = PROJECT_ROOT / "data" / "raw" / "baseline"
_CONTACT = re.compile(r"[!-'*-~]{5,200}")  # printable ASCII without blanks and brackets: a web or mail address
# The form that Nomis gives. Plain characters only, so that a key has one spelling in any address. The minimum length
# ensures that removing it from a publisher's answer cannot change a figure or a name.
_NOMIS_UID = re.compile(r"0x[0-9A-Za-z]{6,200}")
_SOURCE = re.compile(r"^- id: (\w+)\n(?:  .*\n)*?  environment_variable: (\w+)$", re.MULTILINE)
_STORE_URL = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_=-][A-Za-z0-9._=-]*)*/?")


_SECRET_VARIABLES = ("IG_WEBHOOK_URL", "IG_SMTP_URL", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


class SettingsError(PipelineError, ValueError):
    """An environment variable has an invalid value; the message names it."""


# A year of monthly releases; a night on which only bytes changed makes a patch, which does not count.
DEFAULT_KEEP_RELEASES = 12
# Stored answers to one query; each is another edition of the same figures.
DEFAULT_KEEP_SNAPSHOTS = 12
_NEWEST_STAYS = ", since the newest is never deleted"
# Every table is checked within this many days. Checking one of ten tables a night is enough for that.
DEFAULT_LOOK_WITHIN_DAYS = 10
# A night takes minutes. Requests to publishers may take at most half of this; the rest is for the work.
DEFAULT_MOST_MINUTES = 90
# Local pay, employment and output are held from 2009 on.
DEFAULT_FIRST_SCORED_YEAR = 2009


@dataclass(frozen=True)
class Settings:
    """The locations and addresses of one run.

    ``base_urls`` maps a source id of ``sources.yaml`` to an address that replaces the publisher's own. ``nomis_uid``
    never appears in ``repr``, so that it cannot be logged by accident. ``contact`` is the address in the User-Agent for
    publishers; without one, it says that none was given. ``keep_releases`` is how many minor versions of the data set
    are kept, ``keep_snapshots`` how many answers to each query. Every table is checked within ``look_within_days``. A
    night is ended after ``most_minutes``. Every year from ``first_scored_year`` on is scored. ``store_url`` is the
    bucket that machines share (``s3://bucket/prefix``), None on a laptop; its keys stay in the AWS environment
    variables and are never read here.
    """

    data_dir: Path
    baseline_dir: Path = BASELINE_DIR
    base_urls: Mapping[str, str] = field(default_factory=dict)
    nomis_uid: str | None = field(default=None, repr=False)
    contact: str | None = None
    keep_releases: int = DEFAULT_KEEP_RELEASES
    keep_snapshots: int = DEFAULT_KEEP_SNAPSHOTS
    look_within_days: int = DEFAULT_LOOK_WITHIN_DAYS
    most_minutes: float = DEFAULT_MOST_MINUTES
    first_scored_year: int = DEFAULT_FIRST_SCORED_YEAR
    store_url: str | None = None

    def without_secrets(self, text: str) -> str:
        """A text from an unchecked origin, such as a crash, with any keys removed."""
        for secret in (self.nomis_uid, *map(os.environ.get, _SECRET_VARIABLES)):
            text = text.replace(secret, "(key)") if secret else text
        return text

    @property
    def raw_dir(self) -> Path:
        return self.data_dir / "raw"

    @property
    def marts_dir(self) -> Path:
        return self.data_dir / "marts"

    @property
    def database(self) -> Path:
        return self.marts_dir / "inclusive_growth.duckdb"

    @property
    def refused_file(self) -> Path:
        """Where a file that a quality gate refused is kept, for inspection and possible acceptance."""
        return self.database.with_name(f"{self.database.stem}.refused{self.database.suffix}")


@cache
def url_variables() -> Mapping[str, str]:
    """Source id -> the environment variable for its address, as declared in ``sources.yaml``.

    They are found without a YAML parser, since every command needs them and few need the catalogue.
    """
    return dict(_SOURCE.findall(SOURCES_FILE.read_text(encoding="utf-8")))


def settings_from_environment(environ: Mapping[str, str] | None = None) -> Settings:
    """Read settings from ``environ`` (``os.environ`` by default).

    ``IG_DATA_DIR`` moves the data folder; ``IG_STORE_URL`` names a bucket that machines share; the variables of
    `url_variables` replace a source's address; ``NOMIS_UID`` is the optional Nomis key; ``IG_CONTACT`` is a web or mail
    address at which publishers can reach the operator; ``IG_KEEP_RELEASES`` is how many minor versions of the data set
    to keep, ``IG_KEEP_SNAPSHOTS`` how many answers to each query; every table is checked within
    ``IG_LOOK_WITHIN_DAYS``; ``IG_MOST_MINUTES`` is how long a night may take; ``IG_FIRST_SCORED_YEAR`` is the first
    year that is scored. Empty means unset. Raises SettingsError if the contact, the Nomis key or a number is invalid.
    """
    env = os.environ if environ is None else environ
    data_dir = Path(env.get("IG_DATA_DIR") or PROJECT_ROOT / "data").expanduser().resolve()
    base_urls = {
        source_id: env[variable].rstrip("/") for source_id, variable in url_variables().items() if env.get(variable)
    }
    contact = env.get("IG_CONTACT") or None
    if contact is not None and not _CONTACT.fullmatch(contact):
        raise SettingsError(
            "IG_CONTACT must be a web or mail address in plain ASCII, 5 to 200 characters without blanks or brackets, "
            "since publishers read it in the User-Agent"
        )
    return Settings(
        data_dir=data_dir,
        base_urls=base_urls,
        nomis_uid=_nomis_uid(env),
        contact=contact,
        keep_releases=_whole_number(env, "IG_KEEP_RELEASES", DEFAULT_KEEP_RELEASES, _NEWEST_STAYS),
        keep_snapshots=_whole_number(env, "IG_KEEP_SNAPSHOTS", DEFAULT_KEEP_SNAPSHOTS, _NEWEST_STAYS),
        look_within_days=_whole_number(env, "IG_LOOK_WITHIN_DAYS", DEFAULT_LOOK_WITHIN_DAYS),
        first_scored_year=_whole_number(env, "IG_FIRST_SCORED_YEAR", DEFAULT_FIRST_SCORED_YEAR),
        most_minutes=_whole_number(env, "IG_MOST_MINUTES", DEFAULT_MOST_MINUTES),
        store_url=_store_url(env),
    )


def _nomis_uid(env: Mapping[str, str]) -> str | None:
    """The key without surrounding blanks, which come with pasting. An invalid value is not repeated: it may be a key."""
    given = env.get("NOMIS_UID", "").strip() or None
    if given is not None and not _NOMIS_UID.fullmatch(given):
        raise SettingsError(
            "NOMIS_UID must be the key of a Nomis account as Nomis shows it, 0x and then letters and digits; leave it "
            "unset to use Nomis without a key, which gives the same figures in more pages"
        )
    return given


def _store_url(env: Mapping[str, str]) -> str | None:
    """The address of the shared bucket without a trailing slash. An invalid value is not repeated: it may contain a key."""
    given = env.get("IG_STORE_URL") or None
    if given is not None and not _STORE_URL.fullmatch(given):
        raise SettingsError(
            "IG_STORE_URL must be s3://bucket or s3://bucket/prefix, in lower case for the bucket and without keys in it; "
            "keys belong in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a server other than Amazon's in AWS_ENDPOINT_URL"
        )
    return given and given.rstrip("/")


def _whole_number(env: Mapping[str, str], name: str, default: int, because: str = "") -> int:
    given = env.get(name) or str(default)
    if not (given.isascii() and given.isdigit() and int(given) >= 1):
        raise SettingsError(f"{name} must be a whole number of 1 or more{because}; it is {given!r}")
    return int(given)
