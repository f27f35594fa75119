"""Accept, on a person's word, a publisher's answer that was rejected because of what was held before."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.catalogue import Indicator, Part, Source
from pipeline.errors import PipelineError
from pipeline.geography import Register
from pipeline.http.payload import PayloadRejected
from pipeline.raw import CorruptSnapshot, RawStore, Snapshot
from pipeline.run.inputs import Inputs
from pipeline.run.lock import one_at_a_time
from pipeline.run.payload_checks import accept
from pipeline.run.person import this_person
from pipeline.run.stores import Stores


class CannotAccept(PipelineError):
    """There is no such rejected answer, or it is wrong in itself; the message says which."""


def accept_answers(inputs: Inputs, stores: Stores, source_id: str, indicator_id: str, reason: str) -> list[Snapshot]:
    """Take the newest rejected answer of each part of an indicator; return what is now held as its latest.

    A person can accept that it lacks figures held before, or that a gate refused it: it is checked again on its own.
    Raises CannotAccept, and Locked while a run is at work.
    """
    indicator = inputs.catalogue.indicators.get(indicator_id)
    if indicator is None:
        raise CannotAccept(f"the catalogue has no indicator '{indicator_id}'; see python -m pipeline catalogue")
    with one_at_a_time(stores.settings.marts_dir):
        newest: dict[str, Snapshot] = {}
        for snapshot in stores.raw.rejected(source_id, indicator_id):
            newest.setdefault(snapshot.sidecar["part_id"], snapshot)
        if not newest:
            raise CannotAccept(f"no rejected answer of {source_id} is held for {indicator_id}; nothing to accept")
        taken = [newest[part.id] for part in indicator.parts if part.id in newest and _is_ours(part, newest[part.id])]
        if not taken:
            raise CannotAccept(f"what was rejected of {indicator_id} was asked for with an earlier query")
        for snapshot in taken:
            _check_on_its_own(inputs.catalogue.sources, inputs.register, stores.raw, indicator, snapshot)
        return [stores.raw.accept(snapshot, reason, this_person()) for snapshot in taken]


def _is_ours(part: Part, snapshot: Snapshot) -> bool:
    """Whether the catalogue still asks with the query that brought the answer."""
    return any(query.model_dump(mode="json") == snapshot.sidecar["query"] for query in part.live)


def _check_on_its_own(
    sources: Mapping[str, Source], register: Register, raw: RawStore, indicator: Indicator, snapshot: Snapshot
) -> None:
    part = next(part for part in indicator.parts if part.id == snapshot.sidecar["part_id"])
    query = next(query for query in part.live if query.model_dump(mode="json") == snapshot.sidecar["query"])
    try:
        accept(sources, register, indicator, part, query, raw.read(snapshot))
    except (PayloadRejected, CorruptSnapshot) as error:
        raise CannotAccept(f"{indicator.id}: the answer is wrong in itself and cannot be accepted: {error}") from error
