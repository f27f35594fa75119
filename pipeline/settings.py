"""Where things are and which hosts to ask, read from the environment once.

Every setting has a default that works on a laptop; each can be overridden so that a
stand-in server or a mirror answers instead of the publisher.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
BASELINE_DIR = PROJECT_ROOT / "data" / "raw" / "baseline"
_CONTACT = re.compile(
    r"[!-'*-~]{5,200}"
)  # printable ASCII without blanks and brackets: an address of the web or of mail


class SettingsError(ValueError):
    """A variable of the environment has a value that cannot be used; the message names it."""


# A year of monthly releases; a night on which nothing but bytes changed makes a patch, which does not count.
DEFAULT_KEEP_RELEASES = 12
# Answers of one query that are held; each is another edition of the same figures.
DEFAULT_KEEP_SNAPSHOTS = 12


@dataclass(frozen=True)
class Settings:
    """The places and addresses one run uses.

    ``base_urls`` maps a source id of ``sources.yaml`` to an address that replaces the
    publisher's own. ``nomis_uid`` never appears in ``repr`` so that it cannot be logged by accident.
    ``contact`` is the address publishers are given in the User-Agent; without one they are told that none was given.
    ``keep_releases`` is how many minor versions of the data set are kept as they were, ``keep_snapshots`` how many
    answers of each query.
    """

    data_dir: Path
    baseline_dir: Path = BASELINE_DIR
    base_urls: Mapping[str, str] = field(default_factory=dict)
    nomis_uid: str | None = field(default=None, repr=False)
    contact: str | None = None
    keep_releases: int = DEFAULT_KEEP_RELEASES
    keep_snapshots: int = DEFAULT_KEEP_SNAPSHOTS

    @property
    def raw_dir(self) -> Path:
        return self.data_dir / "raw"

    @property
    def marts_dir(self) -> Path:
        return self.data_dir / "marts"

    @property
    def database(self) -> Path:
        return self.marts_dir / "inclusive_growth.duckdb"


# The environment variable that moves each source; the catalogue's sources.yaml names the same ones.
URL_VARIABLES: Mapping[str, str] = {
    "ons_els": "IG_ELS_URL",
    "nomis": "IG_NOMIS_URL",
    "ons_dataset": "IG_ONS_DATASET_URL",
    "open_geography": "IG_OPEN_GEOGRAPHY_URL",
    "govuk": "IG_GOVUK_URL",
    "gov_wales": "IG_GOV_WALES_URL",
    "gov_scot": "IG_GOV_SCOT_URL",
    "nisra": "IG_NISRA_URL",
}


def settings_from_environment(environ: Mapping[str, str] | None = None) -> Settings:
    """Read settings from ``environ`` (``os.environ`` by default).

    ``IG_DATA_DIR`` moves the data folder; the variables of URL_VARIABLES move a source; ``NOMIS_UID`` is the optional
    Nomis key; ``IG_CONTACT`` is a web or mail address at which publishers can reach whoever runs this;
    ``IG_KEEP_RELEASES`` is how many minor versions of the data set to keep, ``IG_KEEP_SNAPSHOTS`` how many answers of
    each query. Empty means unset. Raises SettingsError for a contact that no User-Agent can carry, and for a number to
    keep that is none.
    """
    env = os.environ if environ is None else environ
    data_dir = Path(env.get("IG_DATA_DIR") or PROJECT_ROOT / "data").expanduser().resolve()
    base_urls = {
        source_id: env[variable].rstrip("/") for source_id, variable in URL_VARIABLES.items() if env.get(variable)
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
        nomis_uid=env.get("NOMIS_UID") or None,
        contact=contact,
        keep_releases=_number_to_keep(env, "IG_KEEP_RELEASES", DEFAULT_KEEP_RELEASES),
        keep_snapshots=_number_to_keep(env, "IG_KEEP_SNAPSHOTS", DEFAULT_KEEP_SNAPSHOTS),
    )


def _number_to_keep(env: Mapping[str, str], name: str, default: int) -> int:
    given = env.get(name) or str(default)
    if not (given.isascii() and given.isdigit() and int(given) >= 1):
        raise SettingsError(
            f"{name} must be a whole number of 1 or more, since the newest is never let go; it is {given!r}"
        )
    return int(given)
