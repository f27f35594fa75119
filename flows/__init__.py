"""Prefect flows: they arrange the steps of `pipeline.run` and hold no arithmetic and no SQL."""

import signal
import sys

from flows.quiet import settle_prefect

if "--multiprocessing-fork" in sys.orig_argv:  # a process that a run shares its work with is ended by that run
    signal.signal(signal.SIGINT, signal.SIG_IGN)

settle_prefect()  # before anything imports prefect, which reads its settings once
