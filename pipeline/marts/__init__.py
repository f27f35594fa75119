"""The DuckDB file: tables declared in tables.yaml, filled by numbered SQL, built beside the live file."""
