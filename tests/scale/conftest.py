"""Fixtures of the tests with a bucket: one server a session, and for each test a prefix of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from pipeline.storage.bucket import Bucket, open_bucket
from tests.scale.bucket_server import BUCKET, BucketServer, bucket_server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BucketServer]:
    with bucket_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def store_url(s3: BucketServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty prefix, with the environment set so that the bucket can be used; IG_STORE_URL is not."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{uuid.uuid4().hex[:8]}"


@pytest.fixture
def bucket(store_url: str) -> Bucket:
    return open_bucket(store_url)
