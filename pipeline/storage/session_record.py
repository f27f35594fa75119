"""What passed between a run and the bucket; without a bucket, nothing, and without importing what speaks to one."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Shared:
    """Sentences for people: ``notes`` to know, ``problems`` to look after; and whether the live file came from there."""

    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    brought_file: bool = False
