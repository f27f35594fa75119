"""The published file for other tools: Parquet, CSV with CSVW metadata, a data package, an Excel workbook.

Everything is written from the published file and the declaration of its tables; the same file gives the same bytes.
docs/exports.md describes the output.
"""

from pipeline.export.selection import Choice, ExportProblem, choose
from pipeline.export.write import FORMATS, export

__all__ = ["FORMATS", "Choice", "ExportProblem", "choose", "export"]
