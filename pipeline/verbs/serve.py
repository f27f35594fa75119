"""`python -m pipeline serve`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.errors import EXIT_OK, VerbError
from pipeline.verbs.common import Verbs, add_verb

ABOUT = """View the report through a web server on this machine. Nobody else can reach it.

The report also opens from disk; this shows it as a web host would serve it. Stop it with Ctrl+C.
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "serve", "view the report through a web server on this machine", ABOUT, run)
    parser.add_argument("--port", type=int, default=8000, metavar="N", help="port (default 8000; 0 picks a free one)")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="folder of the site (default: data/marts/report)")


def run(arguments: argparse.Namespace) -> int:
    from pipeline.report.serving import local_server
    from pipeline.settings import settings_from_environment

    folder = arguments.dir or settings_from_environment().marts_dir / "report"
    if not (folder / "index.html").exists():
        raise VerbError(f"there is no report in {folder}; run `make report` first")
    try:
        server = local_server(folder, arguments.port)
    except (OSError, OverflowError) as error:
        raise VerbError(f"port {arguments.port} cannot be used ({error}); give another with --port") from error
    with server:
        print(f"http://127.0.0.1:{server.server_port}/  (Ctrl+C stops it)", flush=True)
        server.serve_forever()
    return EXIT_OK
