"""The command lines of the flows: stopped in one place, with the server starting while Prefect is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.stopping import beside_the_main_thread, closing, stoppable

if TYPE_CHECKING:  # what takes long to import is imported where a key can stop it
    import argparse

    from flows.server import Server


def run(name: str) -> int:
    """``python -m flows.NAME``, for ``refresh`` and ``nightly``: the options of ``python -m pipeline NAME``."""
    return stoppable(lambda: beside_the_main_thread(lambda: _run(name)))


def _run(name: str) -> int:
    from contextlib import nullcontext

    from pipeline.run.stopped import reported_if_stopped, told_if_stopped

    arguments = _parsed(name)
    with reported_if_stopped(), told_if_stopped() if name == "nightly" else nullcontext():
        from flows.server import begin

        server = begin()
        with closing("server", lambda _: server.stop()):
            return _on(server, name, arguments)


def _parsed(name: str) -> argparse.Namespace:
    import argparse
    from importlib import import_module

    verb = import_module(f"pipeline.verbs.{name}")
    parser = argparse.ArgumentParser(
        prog=f"python -m flows.{name}", description=verb.ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verb.add_options(parser)
    return parser.parse_args()


def _on(server: Server, name: str, arguments: argparse.Namespace) -> int:
    import sys
    from importlib import import_module

    from pipeline.errors import PipelineError

    try:
        code: int = import_module(f"flows.{name}").on(server, arguments)
        return code
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
