"""The format of a sidecar in the raw store. Files on disk are checked like any external input."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, NonNegativeInt, TypeAdapter, ValidationError

_NAME = re.compile(r"[a-z0-9_]+\.[0-9]{8}T[0-9]{12}Z\.[0-9a-f]{12}\.json")
_STAMP = "%Y%m%dT%H%M%S%fZ"
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Words = dict[str, str]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class _Page(_Strict):
    url: str
    parameters: _Words
    http_status: int
    headers: _Words
    sha256: _Sha256
    byte_count: NonNegativeInt
    row_count: NonNegativeInt | None = None


class _Description(_Strict):
    unit: str | None
    caveats: list[str]


class _Sidecar(_Strict):
    """The fields that are read. Others may be present: an older or newer version of the project wrote them."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    payload_file: str
    source_id: str
    indicator_id: str
    part_id: str
    query: dict[str, Any]
    query_fingerprint: str
    url: str
    parameters: _Words
    fetched_at: Annotated[AwareDatetime, Field(strict=False)]
    http_status: int
    headers: _Words
    media_type: str
    sha256: _Sha256
    row_count: NonNegativeInt | None
    publisher_updated: str | None
    edition: str | None
    pages: list[_Page]
    description: _Description | None = None
    rejected_because: str = ""


_SCHEMA = TypeAdapter(_Sidecar)


def read_sidecar(path: Path, root: Path) -> tuple[dict[str, Any], Path]:
    """The contents of a sidecar, and the path of its payload, which is in the store at ``root``.

    Raises OSError if it cannot be read, and ValueError (in one line) if it is not a valid sidecar: not JSON, a field
    missing or of the wrong type, a payload outside the store, a name without a time.
    """
    if not _NAME.fullmatch(path.name):
        raise ValueError("its name is not PART.TIME.SHA256.json")
    datetime.strptime(path.name.split(".")[1], _STAMP)  # noqa: DTZ007 - only whether it is a time
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        _SCHEMA.validate_python(held)
    except RecursionError:
        raise ValueError("its JSON is nested too deep") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise ValueError(f"{where}: {first['msg']}") from None
    named = PurePosixPath(held["payload_file"])
    payload = Path(os.path.normpath(path.parent / named))
    if named.is_absolute() or "\0" in held["payload_file"] or not payload.is_relative_to(root):
        raise ValueError("its payload lies outside the store")
    return held, payload
