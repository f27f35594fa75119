"""A night that outlasts its limit ends, whatever hangs, with a report and a message, and leaves the lock to the next."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pipeline.run.lock import one_at_a_time
from pipeline.settings import PROJECT_ROOT, SettingsError, settings_from_environment

SECONDS = 3
NIGHT = """
    import sys, threading, time
    from dataclasses import replace
    from pathlib import Path
    from pipeline import stopping
    from pipeline.run import nightly
    from pipeline.run.lock import one_at_a_time
    from pipeline.settings import Settings

    folder, hangs = Path(sys.argv[1]), sys.argv[2]
    stopping.SECONDS_TO_TELL = 5.0

    def refresh(options, settings):
        with one_at_a_time(settings.marts_dir):
            print("at work", flush=True)
            if hangs == "in a thread":
                thread = threading.Thread(target=time.sleep, args=(60,))
                thread.start()
                thread.join()
            if hangs == "swallowing":
                while True:
                    try:
                        time.sleep(60)
                    except BaseException:
                        pass
            time.sleep(60 if hangs == "asleep" else 0)
        return 0

    steps = replace(nightly.plain_steps(), refresh=refresh)
    options = nightly.NightlyOptions(offline=True, has_report=False)
    night = nightly.run_night(steps, options, Settings(folder, most_minutes={minutes}))
    print("ended by itself", night.code, flush=True)
"""


@contextmanager
def webhook(*, trickles: bool = False) -> Iterator[tuple[str, list[str]]]:
    """The address of a webhook on this machine, and what was posted to it; one that trickles never ends its answer."""
    posted: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(self.rfile.read(int(self.headers["content-length"])).decode())
            for _ in range(100 if trickles else 0):
                self.wfile.write(b"H")
                time.sleep(0.2)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(OSError):
                super().handle()

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", posted
        server.shutdown()


def night(folder: Path, hangs: str, address: str, minutes: float) -> tuple[subprocess.CompletedProcess[str], float]:
    command = [sys.executable, "-c", textwrap.dedent(NIGHT.replace("{minutes}", str(minutes))), str(folder), hangs]
    environment = {"IG_WEBHOOK_URL": address, "PATH": "/usr/bin:/bin"}
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    return done, time.monotonic() - began


@pytest.mark.parametrize("hangs", ["asleep", "in a thread", "swallowing"])
def test_a_night_that_hangs_is_ended_told_of_and_lets_the_lock_go(tmp_path: Path, hangs: str) -> None:
    with webhook() as (address, posted):
        done, seconds = night(tmp_path, hangs, address, SECONDS / 60)
    assert done.returncode == 1, done.stderr
    assert seconds < 40
    assert "at work" in done.stdout
    assert "ended by itself" not in done.stdout
    sentence = "the night was ended after 0.05 minutes (IG_MOST_MINUTES)"
    assert sentence in done.stderr
    [message] = posted
    assert sentence in message
    assert "Inclusive growth: failed" in message
    report = json.loads((tmp_path / "marts" / "run_report.json").read_text())
    assert (report["status"], report["exit_code"]) == ("failed", 1)
    assert sentence in report["error"]
    assert any("in refresh" in trace for trace in report["tracebacks"])  # where it stood
    assert sentence in (tmp_path / "marts" / "run_report.md").read_text()
    with one_at_a_time(tmp_path / "marts") as died:
        assert died is None, "the night did tell of its end"


def test_telling_does_not_keep_a_night_that_is_over(tmp_path: Path) -> None:
    with webhook(trickles=True) as (address, posted):
        done, seconds = night(tmp_path, "asleep", address, SECONDS / 60)
    assert done.returncode == 1
    assert seconds < 40
    assert posted


def test_a_night_in_time_ends_by_itself(tmp_path: Path) -> None:
    with webhook() as (address, _):
        done, _ = night(tmp_path, "not", address, 1)
    assert "ended by itself 0" in done.stdout, done.stderr


@pytest.mark.parametrize("wrong", ["0", "-1", "soon", "1.5"])
def test_a_limit_that_is_none_is_refused_by_name(wrong: str) -> None:
    with pytest.raises(SettingsError, match="IG_MOST_MINUTES must be a whole number"):
        settings_from_environment({"IG_MOST_MINUTES": wrong})
    assert settings_from_environment({"IG_MOST_MINUTES": "45"}).most_minutes == 45
    assert settings_from_environment({}).most_minutes == 90
