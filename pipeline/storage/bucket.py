"""One bucket of an S3-compatible store, as the few operations that this project needs, with failures as sentences.

Uses S3 through ``pyarrow.fs``, which is already a dependency. The AWS SDK finds its own keys in environment variables,
files and roles; they are never read, shown or stored here.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pyarrow.fs

from pipeline.atomic import write_blocks_atomically
from pipeline.errors import PipelineError

T = TypeVar("T")
R = TypeVar("R")
_BLOCK_BYTES = 1 << 23
# Requests at a time: each takes some ten milliseconds, mostly waiting.
_THREADS = 8
# A server that stays silent this long, this many times, counts as unreachable.
PATIENCE_SECONDS = 10.0
_MOST_ATTEMPTS = 3
_AWS_ERROR = re.compile(r"AWS Error (\w+)(?: \(HTTP status (\d+)\))?")
_REFUSED = {"ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "INVALID_CLIENT_TOKEN_ID"}
_NOT_REACHED = re.compile(r"curlCode: \d+, ([^;]+)")


class StoreProblem(PipelineError):
    """The bucket cannot be used as requested: the message says what was tried and what is missing."""


class NotInBucket(StoreProblem):
    """There is no such object."""


class Damaged(StoreProblem):
    """An object's bytes are not those that were uploaded."""


@dataclass(frozen=True)
class Held:
    """An object in a listing: its size, and when it was written by the server's clock (UTC)."""

    byte_count: int
    modified: datetime


def open_bucket(url: str, environ: Mapping[str, str] | None = None) -> Bucket:
    """The bucket at ``s3://bucket/prefix``; no request is sent yet.

    ``AWS_ENDPOINT_URL_S3`` or ``AWS_ENDPOINT_URL`` names a server other than Amazon's, ``AWS_REGION`` or
    ``AWS_DEFAULT_REGION`` the region.
    """
    env = os.environ if environ is None else environ
    endpoint = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL")
    region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or ("us-east-1" if endpoint else None)
    filesystem = pyarrow.fs.S3FileSystem(
        endpoint_override=endpoint,
        region=region,
        allow_delayed_open=True,  # a small object is then written with one request
        connect_timeout=PATIENCE_SECONDS,
        request_timeout=PATIENCE_SECONDS,
        retry_strategy=pyarrow.fs.AwsStandardS3RetryStrategy(max_attempts=_MOST_ATTEMPTS),
    )
    return Bucket(filesystem, url.removeprefix("s3://"), url)


class Bucket:
    """Objects below one prefix of a bucket. Names are relative to it. ``url`` is for people."""

    def __init__(self, filesystem: pyarrow.fs.FileSystem, root: str, url: str) -> None:
        self.filesystem = filesystem
        self.root = root
        self.url = url

    def list(self, prefix: str) -> dict[str, Held]:
        """Every object below ``prefix`` by name. Raises StoreProblem, also where there is no such bucket."""
        selector = pyarrow.fs.FileSelector(f"{self.root}/{prefix}", recursive=True, allow_not_found=True)
        with self._doing(f"list {prefix}"):
            found = self.filesystem.get_file_info(selector)
        return {
            info.path.removeprefix(f"{self.root}/"): Held(info.size, info.mtime.astimezone(UTC))
            for info in found
            if info.type == pyarrow.fs.FileType.File
        }

    def require(self) -> None:
        """Raises StoreProblem if the bucket does not answer, refuses access, or does not exist."""
        name = self.root.split("/")[0]
        with self._doing("look at it"):
            info = self.filesystem.get_file_info(name)
        if info.type == pyarrow.fs.FileType.NotFound:
            raise StoreProblem(f"the bucket {self.url} does not exist; create it, or correct IG_STORE_URL")

    def read(self, name: str) -> bytes:
        """The bytes of a small object. Raises NotInBucket and StoreProblem."""
        return b"".join(self._blocks(name))

    def read_if_there(self, name: str) -> bytes | None:
        """The bytes of a small object, None if there is none."""
        try:
            return self.read(name)
        except NotInBucket:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Write a small object in one request, replacing any of that name."""
        with self._doing(f"write {name}"), self.filesystem.open_output_stream(f"{self.root}/{name}") as stream:
            stream.write(content)

    def upload(self, path: Path, name: str, sha256: str) -> None:
        """Upload a file. If its bytes do not match ``sha256``, raises Damaged and uploads nothing.

        It is read twice, since anything that pyarrow has begun to write becomes visible even if reading then fails.
        """
        with path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:
                raise Damaged(f"{path.name} was changed on this machine and is not uploaded")
            stream.seek(0)
            with self._doing(f"write {name}"), self.filesystem.open_output_stream(f"{self.root}/{name}") as target:
                while block := stream.read(_BLOCK_BYTES):
                    target.write(block)

    def download(self, name: str, path: Path, sha256: str) -> None:
        """Download an object to a file that appears complete or not at all.

        Raises Damaged if its bytes do not match ``sha256``, NotInBucket, StoreProblem, and OSError for the disk.
        """
        digest = hashlib.sha256()

        def proved() -> Iterator[bytes]:
            for block in self._blocks(name):
                digest.update(block)
                yield block
            if digest.hexdigest() != sha256:
                raise Damaged(
                    f"{name} in the bucket is not what was uploaded: its sha256 is {digest.hexdigest()[:12]}, "
                    f"expected {sha256[:12]}"
                )

        path.parent.mkdir(parents=True, exist_ok=True)
        write_blocks_atomically(path, proved())

    def sha256(self, name: str) -> str:
        """The sha256 of an object, all of which is read."""
        digest = hashlib.sha256()
        for block in self._blocks(name):
            digest.update(block)
        return digest.hexdigest()

    def copy(self, source: str, target: str) -> None:
        """Copy an object within the bucket, without downloading it."""
        with self._doing(f"copy {source}"):
            self.filesystem.copy_file(f"{self.root}/{source}", f"{self.root}/{target}")

    def delete(self, name: str) -> None:
        """Remove an object; one that is already gone is not a failure."""
        try:
            with self._doing(f"remove {name}"):
                self.filesystem.delete_file(f"{self.root}/{name}")
        except NotInBucket:
            return

    def _blocks(self, name: str) -> Iterator[bytes]:
        with self._doing(f"read {name}"):
            stream = self.filesystem.open_input_file(f"{self.root}/{name}")
        with stream:
            while True:
                with self._doing(f"read {name}"):
                    block = stream.read(_BLOCK_BYTES)
                if not block:
                    return
                yield block

    @contextmanager
    def _doing(self, what: str) -> Iterator[None]:
        """Turn pyarrow's errors into a sentence about this bucket."""
        try:
            yield
        except FileNotFoundError as error:
            raise NotInBucket(f"the bucket {self.url} has no object to {what}") from error
        except (OSError, pyarrow.ArrowException) as error:
            raise StoreProblem(f"the bucket {self.url} {_why(str(error))} (while trying to {what})") from error


def in_parallel(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Call ``function`` for each item, several at a time; the first failure is raised once those under way have finished."""
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        return list(pool.map(function, items))


def _why(message: str) -> str:
    """The meaning of a pyarrow error in words, since it has no separate types."""
    match = _AWS_ERROR.search(message)
    code, status = match.groups() if match else ("", None)
    if code in _REFUSED or status in ("401", "403"):
        return "refuses this machine: check its keys (AWS_ACCESS_KEY_ID) and their permissions"
    if code == "NO_SUCH_BUCKET":
        return "does not exist; create it, or correct IG_STORE_URL"
    if code == "NETWORK_CONNECTION":
        reason = _NOT_REACHED.search(message)
        return f"cannot be reached ({reason.group(1).strip().lower() if reason else 'no connection'})"
    if code in ("SLOW_DOWN", "SERVICE_UNAVAILABLE", "INTERNAL_FAILURE", "REQUEST_TIMEOUT") or (status or "").startswith(
        "5"
    ):
        return "is too busy or broken to answer" + (f" (HTTP {status})" if status else "")
    first = next((line.strip() for line in message.splitlines() if line.strip()), "no reason given")
    return f"does not work: {first[:200]}"
