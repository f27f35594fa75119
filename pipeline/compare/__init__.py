"""What changed: one published file against another, in figures, scores, tables and columns.

Only files are compared, with SQL on both attached at once; nothing here knows how a figure was fetched or scored.
docs/what-changed.md explains the rules.
"""

from pipeline.compare.comparison import Comparison, Rescore, compare, made_by, method_of
from pipeline.compare.files import CannotCompare
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
