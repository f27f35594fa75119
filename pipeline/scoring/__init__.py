"""Scores of how prosperous places are and how widely that is shared: pure arrays inside, labelled frames at the edge."""

from pipeline.scoring.audit_statistics import audit_table
from pipeline.scoring.error_tables import ErrorTables, error_tables
from pipeline.scoring.frames import ScoreTables, score_framework
from pipeline.scoring.inputs import IndicatorSpec, ScoringInputError, indicator_specs
from pipeline.scoring.pass_through import pass_through_table
from pipeline.scoring.score_table import rank_table, score_table, why_not_scored
from pipeline.scoring.studies import SensitivityTables, rank_set_table, sensitivity_tables

__all__ = [
    "ErrorTables",
    "IndicatorSpec",
    "ScoreTables",
    "ScoringInputError",
    "SensitivityTables",
    "audit_table",
    "error_tables",
    "indicator_specs",
    "pass_through_table",
    "rank_set_table",
    "rank_table",
    "score_framework",
    "score_table",
    "sensitivity_tables",
    "why_not_scored",
]
