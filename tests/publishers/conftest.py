"""What the tests of the sources share: a stand-in, a client pointed at it, and the recorded responses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from pipeline.catalogue import load_catalogue
from pipeline.catalogue.model import Source
from pipeline.http.client import HttpClient
from pipeline.publishers.nomis.query import NomisQuery
from pipeline.settings import PROJECT_ROOT, Settings
from tests.standin.server import StandIn

ClientFor = Callable[..., HttpClient]


@cache
def known_sources() -> Mapping[str, Source]:
    return load_catalogue().sources


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = PROJECT_ROOT.parent / "shared" / "data"
    if not (folder / "els-api" / "manifest.csv").is_file():
        pytest.skip("the recorded responses of ../shared/data are not here")
    return folder


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture
def client_for(tmp_path: Path) -> Iterator[ClientFor]:
    """A client for a stand-in, without throttle and with pauses a hundred times shorter than in earnest."""
    opened: list[HttpClient] = []

    def make(
        standin: StandIn | None = None, *, base_urls: dict[str, str] | None = None, **options: object
    ) -> HttpClient:
        urls = base_urls if base_urls is not None else standin.base_urls if standin else {}
        key = options.pop("nomis_uid", None)
        settings = Settings(data_dir=tmp_path, base_urls=urls, nomis_uid=str(key) if key else None)
        arguments = {"throttle": False, "backoff_seconds": 0.01} | options
        client = HttpClient(known_sources(), settings, **arguments)  # type: ignore[arg-type]
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.close()


def nomis_query(**changes: object) -> NomisQuery:
    """Employment rates of districts in calendar years, with anything changed that a test wants otherwise."""
    employment = {
        "source": "nomis",
        "dataset": "NM_17_5",
        "geography": ["TYPE424"],
        "dates": {"from_year": 2004, "months": [12]},
        "dimensions": {"variable": {"code": 45, "name": "Employment rate - aged 16-64"}},
        "value_measure": 20599,
        "error_measure": 21003,
        "error_form": "half_width",
    }
    return NomisQuery.model_validate(employment | changes)
