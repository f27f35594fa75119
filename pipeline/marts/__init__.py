"""The DuckDB file: tables declared once in tables.yaml, filled by numbered SQL, built beside the live file."""
