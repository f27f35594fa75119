"""Local-area inclusive growth metrics: from published figures to DuckDB marts that score how widely growth is shared."""

__version__ = "0.1.0"
