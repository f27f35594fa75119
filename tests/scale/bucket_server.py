"""An S3-compatible server for tests: moto, as a process of its own that speaks S3 over HTTP on this machine."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow.fs
import pytest
import requests

from tests.flows.servers import free_port

BUCKET = "council"
KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI-EXAMPLEKEY-that-must-stay"  # noqa: S105 - the example of AWS's own documentation
NEEDED = ("moto", "flask", "flask_cors")


@dataclass
class BucketServer:
    """A running server with one empty bucket."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What the AWS SDK reads, all of it, so that nothing of the person who runs the tests is used."""
        nowhere = os.devnull
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "eu-west-2",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": nowhere,
            "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        }

    def make_bucket(self) -> None:
        self.filesystem().create_dir(BUCKET)

    def filesystem(self) -> pyarrow.fs.S3FileSystem:
        return pyarrow.fs.S3FileSystem(
            access_key=KEY,
            secret_key=SECRET,
            endpoint_override=self.endpoint,
            region="eu-west-2",
            allow_bucket_creation=True,
        )

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Meanwhile keys count, and nobody has any: every request is answered with 403."""
        self._ask("0")
        try:
            yield
        finally:
            self._ask("inf")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def _ask(self, requests_without_keys: str) -> None:
        url, plain = f"{self.endpoint}/moto-api/reset-auth", {"Content-Type": "text/plain"}
        requests.post(url, data=requests_without_keys, headers=plain, timeout=30).raise_for_status()


@contextmanager
def bucket_server(folder: Path, port: int | None = None) -> Iterator[BucketServer]:
    """Start a server; skips the test where it is not installed."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"the S3-compatible test server is not installed ({', '.join(missing)})")
    port = port or free_port()
    with (folder / "s3.log").open("ab") as log:
        command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
        server = BucketServer(port, subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
    try:
        _wait(server)
        server.make_bucket()
        yield server
    finally:
        server.stop()


def _wait(server: BucketServer) -> None:
    for _ in range(300):
        with suppress(requests.RequestException):
            requests.get(f"{server.endpoint}/moto-api/", timeout=5)
            return
        time.sleep(0.1)
    raise AssertionError("the S3-compatible test server did not start within 30 seconds")
