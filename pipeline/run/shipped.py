"""The figures shipped with the project, part by part; one that cannot be used counts as not there.

`verify` reports such a fault, and so does a part that has nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.catalogue import Indicator, Part
from pipeline.http.payload import PayloadRejected, SourceError
from pipeline.publishers.baseline.shipped_figures import Baseline, ShippedFile

if TYPE_CHECKING:  # reading figures takes pandas, which a run that finds nothing new does without
    from pipeline.geography import Register
    from pipeline.run.results import Accepted


def shipped_entry(baseline: Baseline, indicator_id: str, part_id: str) -> ShippedFile | None:
    """What the manifest says of the figures shipped for a part; None where there are none or it cannot be read."""
    try:
        return baseline.entry(indicator_id, part_id)
    except SourceError:
        return None


def read_shipped(baseline: Baseline, register: Register, indicator: Indicator, part: Part) -> Accepted | None:
    """The figures shipped for a part; None where there are none, or they cannot be used."""
    from pipeline.run.payload_checks import accept_shipped

    try:
        payload = baseline.payload(indicator.id, part.id)
        return None if payload is None else accept_shipped(register, indicator, part, payload)
    except (SourceError, PayloadRejected):
        return None
