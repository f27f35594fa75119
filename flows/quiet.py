"""Prefect's settings for a laptop: everything inside the project folder, no telemetry, no noise, a quick temporary server.

Only defaults: whatever the environment already sets stays, so a team's own Prefect server is used as configured.
"""

from __future__ import annotations

import os
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent

# What a temporary server does for deployments, schedules and automations. A single local run needs none of it,
# and without them the server is up about a second sooner. A real server (PREFECT_API_URL) is not touched.
_UNUSED_SERVICES = (
    "CANCELLATION_CLEANUP",
    "CLEANUP_RECONCILER",
    "EVENT_LOGGER",
    "EVENT_PERSISTER",
    "FOREMAN",
    "LATE_RUNS",
    "PAUSE_EXPIRATIONS",
    "REPOSSESSOR",
    "SCHEDULER",
    "TRIGGERS",
)


def settle_prefect() -> None:
    """Set Prefect's environment where it is not set already.

    With a server of the team's own (``PREFECT_API_URL``) only the telemetry is turned off: its home, its logs and its
    services are the team's to set, and a worker's log is what people look at when a night went wrong.
    """
    wanted = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    if not os.environ.get("PREFECT_API_URL"):
        wanted["PREFECT_HOME"] = str(PROJECT_ROOT / ".prefect")
        # The job tells of its own failures, once; and the temporary server is stopped while it still writes its last
        # events, and would say so at length.
        wanted["PREFECT_LOGGING_LEVEL"] = "CRITICAL"
        wanted["PREFECT_SERVER_LOGGING_LEVEL"] = "CRITICAL"
        wanted["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] = "120"
        # Each start of the temporary server deletes what ended more than 90 days ago, as nobody else would.
        wanted["PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED"] = "events,flow_runs"
        wanted["PREFECT_SERVER_UI_ENABLED"] = "false"
        wanted.update({f"PREFECT_SERVER_SERVICES_{name}_ENABLED": "false" for name in _UNUSED_SERVICES})
    for name, value in wanted.items():
        os.environ.setdefault(name, value)
