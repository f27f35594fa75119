"""One variable chooses on what tasks run; a value that cannot work is refused with what to do about it."""

from __future__ import annotations

import importlib.util

import pytest
from prefect.task_runners import ProcessPoolTaskRunner, ThreadPoolTaskRunner

from flows.runners import Choice, chosen_runner
from pipeline.settings import SettingsError


def test_threads_of_this_process_are_the_default() -> None:
    choice = chosen_runner({})
    assert choice == Choice("threads")
    assert not choice.crosses_processes
    assert isinstance(choice.task_runner(), ThreadPoolTaskRunner)


def test_processes_run_with_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    assert isinstance(chosen_runner({"IG_TASK_RUNNER": "processes"}).task_runner(), ProcessPoolTaskRunner)


def test_processes_without_a_server_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with pytest.raises(SettingsError, match="needs a Prefect server: set PREFECT_API_URL"):
        Choice("processes").task_runner()


def test_dask_takes_the_address_of_a_cluster() -> None:
    asked = chosen_runner({"IG_TASK_RUNNER": "dask:tcp://scheduler.example:8786"})
    assert asked == Choice("dask", "tcp://scheduler.example:8786")
    assert chosen_runner({"IG_TASK_RUNNER": "dask"}) == Choice("dask")


@pytest.mark.skipif(importlib.util.find_spec("prefect_dask") is not None, reason="prefect-dask is installed here")
def test_dask_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    with pytest.raises(SettingsError, match=r"pip install --constraint requirements-dev\.lock prefect-dask"):
        Choice("dask").task_runner()


@pytest.mark.parametrize("wrong", ["ray", "threads:8", "dask:scheduler", "processes:tcp://a:1"])
def test_anything_else_is_refused_with_what_it_can_be(wrong: str) -> None:
    with pytest.raises(SettingsError, match="it can be threads, processes, dask or dask:tcp://host:port"):
        chosen_runner({"IG_TASK_RUNNER": wrong})
