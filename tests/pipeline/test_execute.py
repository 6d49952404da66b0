"""Executions: reused when nothing they depend on changed, and the same either way."""

from __future__ import annotations

from pathlib import Path

import msgspec
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from towpath.data.content import of_frame
from towpath.errors import UsageError
from towpath.pipeline.errors import StepFailed
from towpath.pipeline.execute import Executed, Table, execute
from towpath.pipeline.functions import load
from towpath.pipeline.graph import plan
from towpath.pipeline.reach import Project
from towpath.store.memory import MemoryStore

FLIGHTS = pl.DataFrame({"carrier": ["UA", None, "B6"], "distance": [1400, 200, 5], "late": [0.5, float("nan"), None]})
HEAD = "import polars as pl\n"


def run(root: Path, text: str, store: MemoryStore, flights: pl.DataFrame = FLIGHTS, seed: int = 0) -> Executed:
    root.mkdir(exist_ok=True, parents=True)
    (root / "pipeline.py").write_text(text)
    functions, code = load(root, "pipeline.py"), Project(root, "pipeline.py")
    tables = {"flights": Table(flights, of_frame(flights))}
    done = None
    for step in plan("rows", functions, ["flights"]):
        done = execute(step, functions[step.name], tables, code, store, seed=seed)
        tables[step.name] = done.table
    assert done is not None
    return done


def test_the_second_time_it_is_reused_and_the_same(tmp_path: Path) -> None:
    store, text = MemoryStore(), HEAD + "def rows(flights):\n    return flights.filter(pl.col('distance') > 10)\n"
    cold = run(tmp_path / "a", text, store)
    warm = run(tmp_path / "b", "# a comment\n" + text, store)
    assert (cold.reused, warm.reused) == (False, True)
    assert cold.fingerprint == warm.fingerprint
    assert cold.table.content == warm.table.content == of_frame(warm.table.frame)
    assert_frame_equal(cold.table.frame, warm.table.frame)
    assert warm.seconds == cold.seconds


def test_forms_that_a_store_could_lose_come_back(tmp_path: Path) -> None:
    text = HEAD + (
        "def rows(flights):\n"
        "    return flights.with_columns(c=pl.col('carrier').cast(pl.Categorical),\n"
        "        e=pl.Series(['a', 'b', None], dtype=pl.Enum(['b', 'a'])), n=None, t=pl.datetime(2013, 1, 1, time_zone='UTC'),\n"
        "        l=pl.Series([[1], [], None]), s=pl.struct('distance'))\n"
    )
    store = MemoryStore()
    cold, warm = (run(tmp_path, text, store) for _ in range(2))
    assert warm.reused
    assert cold.table.frame.schema == warm.table.frame.schema
    assert of_frame(cold.table.frame) == of_frame(warm.table.frame)


def test_a_changed_input_code_or_seed_runs_again(tmp_path: Path) -> None:
    store, text = MemoryStore(), HEAD + "def rows(flights):\n    return flights.head(2)\n"
    first = run(tmp_path / "a", text, store)
    others = [
        run(tmp_path / "b", text, store, FLIGHTS.reverse()),
        run(tmp_path / "c", text.replace("2", "1"), store),
        run(tmp_path / "d", text, store, seed=1),
    ]
    assert not any(other.reused for other in others)
    assert len({first.fingerprint, *(other.fingerprint for other in others)}) == 4


def test_what_comes_out_the_same_stops_the_wave(tmp_path: Path) -> None:
    store = MemoryStore()
    text = "def clean(flights):\n    return flights.head(2)\ndef rows(clean):\n    return clean\n"
    run(tmp_path / "a", text, store)
    assert run(tmp_path / "b", text.replace("flights.head(2)", "flights[:2]"), store).reused


def test_the_fingerprint_can_be_looked_up(tmp_path: Path) -> None:
    store = MemoryStore()
    done = run(tmp_path, HEAD + "def rows(flights):\n    return flights\n", store)
    causes = msgspec.json.decode(store.get(done.fingerprint))
    assert set(causes) == {"code", "parameters", "inputs", "seed", "distributions", "surroundings"}
    assert causes["inputs"] == {"flights": of_frame(FLIGHTS)}
    assert "polars" in causes["distributions"]


@pytest.mark.parametrize(
    ("imports", "annotation", "body"),
    [
        ("import pandas as pd", ": pd.DataFrame", "flights[flights.distance > 10]"),
        ("from __future__ import annotations\nimport pandas as frames", ": frames.DataFrame", "flights[flights.distance > 10]"),
        ("import pyarrow as pa\nimport pyarrow.compute as pc", ": pa.Table", "flights.filter(pc.greater(flights['distance'], 10))"),
        ("", "", "flights.lazy().filter(flights['distance'] > 10)"),
    ],
)
def test_a_frame_arrives_as_it_is_annotated(tmp_path: Path, imports: str, annotation: str, body: str) -> None:
    text = f"{imports}\ndef rows(flights{annotation}):\n    return {body}\n"
    assert run(tmp_path, text, MemoryStore()).table.frame["distance"].to_list() == [1400, 200]


def test_randomness_without_a_seed_repeats(tmp_path: Path) -> None:
    text = (
        "import random\nimport numpy as np\ndef rows(flights):\n    return flights.with_columns(a=np.random.rand(3), b=random.random())\n"
    )
    one, same, other = (run(tmp_path, text, MemoryStore(), seed=seed).table.content for seed in (1, 1, 2))
    assert one == same != other


def test_a_users_error_shows_their_lines_and_not_ours(tmp_path: Path) -> None:
    text = "def rows(flights):\n    return helper(flights)\ndef helper(frame):\n    return frame['distanse']\n"
    with pytest.raises(StepFailed, match="step 'rows' raised ColumnNotFoundError") as caught:
        run(tmp_path, text, MemoryStore())
    assert 'File "pipeline.py", line 2, in rows' in caught.value.trace
    assert "frame['distanse']" in caught.value.trace
    assert "execute.py" not in str(caught.value)
    assert "site-packages" not in str(caught.value)


def test_a_lazy_frame_that_breaks_is_the_steps_fault(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="distanse"):
        run(tmp_path, "def rows(flights):\n    return flights.lazy().select('distanse')\n", MemoryStore())


@pytest.mark.parametrize(("value", "words"), [("None", "returned None"), ("42", "gave a int"), ("[flights]", "gave a list")])
def test_what_is_no_frame_is_said(tmp_path: Path, value: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        run(tmp_path, f"def rows(flights):\n    return {value}\n", MemoryStore())
    assert "'rows'" in caught.value.what


def test_a_step_that_failed_left_nothing_behind(tmp_path: Path) -> None:
    store = MemoryStore()
    with pytest.raises(StepFailed):
        run(tmp_path / "a", "def rows(flights):\n    raise ValueError('x')\n", store)
    with pytest.raises(StepFailed):
        run(tmp_path / "a", "def rows(flights):\n    raise ValueError('x')\n", store)
