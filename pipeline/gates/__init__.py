"""Quality gates: how far a new file may differ from the live one and still be published without a person's approval."""

from pipeline.gates.findings import Finding, districts_lost, medians_moved, rows_down, too_old, went_back
from pipeline.gates.gate_record import accept_findings, record_findings, recorded_findings
from pipeline.gates.moved_scores import scores_moved
from pipeline.gates.policy import GatePolicy, load_gate_policy

__all__ = [
    "Finding",
    "GatePolicy",
    "accept_findings",
    "districts_lost",
    "load_gate_policy",
    "medians_moved",
    "record_findings",
    "recorded_findings",
    "rows_down",
    "scores_moved",
    "too_old",
    "went_back",
]
