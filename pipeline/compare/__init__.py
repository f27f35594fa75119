"""What changed: one published file against another, in figures, scores, tables and columns.

Only files are compared, by SQL with both attached; nothing here depends on how figures are fetched or scored.
docs/what-changed.md explains the rules.
"""

from pipeline.compare.compared_files import CannotCompare
from pipeline.compare.comparison import Comparison, Rescore, compare, made_by, method_of
from pipeline.compare.score_changes import CannotRescore
from pipeline.compare.stamping import Stamp, stamp
from pipeline.compare.stored import Difference, as_difference, stored_difference
from pipeline.compare.version import Version

__all__ = [
    "CannotCompare",
    "CannotRescore",
    "Comparison",
    "Difference",
    "Rescore",
    "Stamp",
    "Version",
    "as_difference",
    "compare",
    "made_by",
    "method_of",
    "stamp",
    "stored_difference",
]
