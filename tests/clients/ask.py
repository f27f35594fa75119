"""Run by an older DuckDB's own Python: the statements of a JSON list on standard input, the answers as JSON."""

import json
import sys

import duckdb

with duckdb.connect(sys.argv[1], read_only=True) as file:
    answers = [file.execute(sql).fetchall() for sql in json.load(sys.stdin)]
json.dump({"version": duckdb.__version__, "answers": answers}, sys.stdout, default=str)
