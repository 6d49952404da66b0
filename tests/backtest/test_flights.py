"""The demo's sample, as `make demo ARGS=--fast` runs it: two months of real flights through the real loop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FLIGHTS = Path(__file__).parents[2] / "examples" / "flights"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if not (FLIGHTS / "data" / "prepared").exists():
        pytest.skip("the flights are not prepared: make examples/flights/data/prepared")
    environ = {**os.environ, "TOWPATH_HOME": str(tmp_path_factory.mktemp("flights"))}
    command = [sys.executable, "-m", "towpath", "backtest", "--from", "2013-04", "--fast", "--json"]
    done = subprocess.run(command, cwd=FLIGHTS, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_loop_closes_on_real_flights(played: dict[str, Any]) -> None:
    april, may = played["rows"]
    assert april["decisions"] == ["version 1 serves production"]
    assert "version 2 serves production instead of version 1" in may["decisions"]
    assert may["causes"][0] == "new_rows"
    assert may["versions"] == [1, 2]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_request_was_answered_and_is_in_the_journal_once(played: dict[str, Any]) -> None:
    assert played["refused"] == []
    assert [row["requests"] for row in played["rows"]] == [9505, 9552]  # a third of the flights of April and of May


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_answers_are_as_good_as_the_models_that_gave_them(played: dict[str, Any]) -> None:
    april, may = played["rows"]
    assert april["served"] == pytest.approx(april["frozen"], abs=1e-6)  # version 1 alone served in April
    assert 0.60 < april["served"]["auc"] < 0.75
    assert may["served"]["auc"] > may["frozen"]["auc"]  # the retrained model took over in May
    assert "FAULTS" not in played["ledger"]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_ledger_of_a_backtest_verifies(played: dict[str, Any]) -> None:
    command = [sys.executable, "-m", "towpath", "verify", "ledger", "--project", played["home"], "--json"]
    environ = {name: value for name, value in os.environ.items() if name != "TOWPATH_HOME"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["faults"] == []
