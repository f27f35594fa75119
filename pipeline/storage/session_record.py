"""What passed between a run and the bucket; empty without a bucket, and without importing the client."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Shared:
    """``notes`` and ``problems`` as sentences for people; and whether the live file was downloaded."""

    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    brought_file: bool = False
