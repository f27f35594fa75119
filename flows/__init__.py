"""Prefect flows: they arrange the steps of `pipeline.run` and hold no arithmetic and no SQL."""

from flows.quiet import settle_prefect

settle_prefect()  # before anything imports prefect, which reads its settings once
