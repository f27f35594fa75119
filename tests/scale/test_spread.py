"""Work cut into pieces for other processes gives the same figures, and nothing that must stay at home travels."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.run import rebuild as steps
from pipeline.run.assemble import assemble
from pipeline.run.context import Run, open_run
from pipeline.run.distributed_fetch import OtherCode, acquire_share, order_of, run_of, shares_of
from pipeline.run.refresh import acquire_all
from pipeline.run.results import Outcome, PartResult
from pipeline.scoring.pieces import Drawn, draw_years, simulate_in_pieces
from pipeline.settings import Settings

KEY = "a-key-that-must-stay"


@pytest.fixture
def context(tmp_path: Path) -> Run:
    return open_run(Settings(data_dir=tmp_path / "data", nomis_uid=KEY), offline=True, draws=20)


class Arrived:
    """A piece that was pickled on its way out and back, as between processes."""

    def __init__(self, arguments: Sequence[Any]) -> None:
        self.content = pickle.dumps(draw_years(*pickle.loads(pickle.dumps(arguments))))  # noqa: S301 - our own bytes

    def result(self) -> Any:
        return pickle.loads(self.content)  # noqa: S301 - our own bytes


def submit(*arguments: Any) -> Drawn:
    return Arrived(arguments)


@pytest.mark.slow
def test_draws_in_pieces_give_the_same_scores_to_the_last_digit(
    offline_run: tuple[Run, Outcome], tmp_path: Path
) -> None:
    run, outcome = offline_run
    yearly = assemble(run.inputs, run.stores, outcome.results).yearly
    known = run.inputs.catalogue.indicators, run.inputs.register, yearly, replace(run.scoring, draws=20)
    whole = steps.score("shared_growth", *known)
    spread = steps.score("shared_growth", *known, simulate_in_pieces(submit, 5))
    for name in ("score", "label", "change", "contribution", "not_scored", "gate"):
        pd.testing.assert_frame_equal(getattr(whole, name), getattr(spread, name), check_exact=True)


def test_shares_hold_every_part_once(context: Run) -> None:
    wanted = sorted((i.id, p.id) for i, p in context.inputs.parts)
    for offline in (True, False):
        shares = shares_of(context.inputs.parts, 4, offline=offline)
        assert sorted(name for share in shares for name in share) == wanted


def test_no_publisher_is_asked_by_two_processes(context: Run) -> None:
    asked = {(i.id, p.id): {q.source for q in p.live} for i, p in context.inputs.parts}
    shares = shares_of(context.inputs.parts, 4, offline=False)
    publishers = [set().union(*(asked[name] for name in share)) for share in shares]
    assert sum(map(len, publishers)) == len(set().union(*publishers))
    assert len(publishers) > 2


def test_an_order_travels_without_the_key(context: Run) -> None:
    sent = pickle.dumps(order_of(context))
    assert KEY.encode() not in sent
    assert len(sent) < 2_000


def test_a_share_comes_back_as_the_run_itself_would_have_got_it(context: Run) -> None:
    names = [("gva_per_hour", "main"), ("claimant_rate", "main")]
    with ThreadPoolExecutor(1) as pool:
        got: list[PartResult] = pickle.loads(  # noqa: S301 - our own bytes
            pool.submit(lambda: pickle.dumps(acquire_share(order_of(context), names))).result()
        )
    expected = [r for r in acquire_all(context) if (r.indicator_id, r.part_id) in names]
    assert [(r.indicator_id, r.payload_sha256) for r in got] == [(r.indicator_id, r.payload_sha256) for r in expected]
    for one, other in zip(got, expected, strict=True):
        pd.testing.assert_frame_equal(one.observations, other.observations)


def test_a_process_with_other_code_refuses_to_help(context: Run) -> None:
    with pytest.raises(OtherCode, match="bring every machine to the same commit"):
        run_of(replace(order_of(context), code="0" * 64))


def test_a_machine_without_the_shared_folder_says_so(context: Run, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="share it at the same path"):
        run_of(replace(order_of(context), data_dir=tmp_path / "elsewhere"))
