"""Executions: reused when nothing they depend on changed, and the same either way; whatever a step makes, and wherever it executes."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from towpath.data.content import of_frame
from towpath.errors import UnknownName, UsageError
from towpath.executors.inline import InlineExecutor
from towpath.executors.local import LocalExecutor
from towpath.pipeline.code.reach import Project
from towpath.pipeline.codecs import give, keep
from towpath.pipeline.declared import declared
from towpath.pipeline.engine import Setting, make
from towpath.pipeline.errors import StepFailed
from towpath.pipeline.executor import Executor
from towpath.pipeline.graph import plan
from towpath.pipeline.signatures import public
from towpath.pipeline.tables import decoded
from towpath.pipeline.watching import Executed
from towpath.project_file import load
from towpath.project_steps import StepPlan
from towpath.store import Store
from towpath.store.local import LocalStore
from towpath.store.memory import MemoryStore

FLIGHTS = pl.DataFrame({"carrier": ["UA", None, "B6"], "distance": [1400, 200, 5], "late": [0.5, float("nan"), None]})
HEAD = "import polars as pl\n"
YAML = "name: bench\ndata: {flights: flights.csv}\nmodel: {task: binary, rows: flights, label: late}\n"


class Work:
    """A tree of code, and the store that its runs share; ``where`` says which executor performs."""

    def __init__(self, home: Path, where: str) -> None:
        self.home, self.where = home, where
        self.store: Store = LocalStore(home / ".towpath/store")
        self.trees = 0

    def run(
        self,
        text: str,
        *targets: str,
        flights: pl.DataFrame = FLIGHTS,
        seed: int = 0,
        slots: int = 2,
        plans: Mapping[str, StepPlan] | None = None,
        **files: str,
    ) -> dict[str, Executed]:
        """Every step that ``targets`` need, executed by the pipeline ``text`` in a tree of its own."""
        self.trees += 1
        tree = self.home / f"tree-{self.trees}"
        tree.mkdir()
        for name, content in {"towpath.yaml": YAML, "pipeline.py": text, **{f"{name}.py": of for name, of in files.items()}}.items():
            (tree / name).write_text(content)
        code = Project(tree, "pipeline.py")
        logs = self.home / "logs"
        logs.mkdir(exist_ok=True)
        setting = Setting(
            code=code, pipeline="pipeline.py", store=self.store, seed=lambda step: seed, logs=logs, plans=plans or {}, pause_s=0.05
        )
        project = msgspec.structs.replace(load(tree, {}), steps=dict(plans or {}))
        steps = plan(targets or ["rows"], declared(project, code), ["flights"], public(code))
        executor = self.executor(tree, slots)
        try:
            return {one.step: one for one in make(steps, {"flights": keep(flights, self.store, step="flights")}, setting, executor)}
        finally:
            executor.close()

    def executor(self, tree: Path, slots: int) -> Executor:
        if self.where == "inline":
            return InlineExecutor(self.store, self.home / "lent")
        return LocalExecutor(load(tree, {}).placed(self.home, self.home / ".towpath"), os.environ, slots=slots)

    def frame(self, done: Executed) -> pl.DataFrame:
        return decoded(done.value, self.store)

    def value(self, done: Executed) -> Any:
        with ExitStack() as stack:
            return give(done.value, self.store, self.home / "lent", stack)


@pytest.fixture(params=["inline", "local"])
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Work:
    return Work(tmp_path, request.param)


@pytest.fixture
def inline(tmp_path: Path) -> Work:
    return Work(tmp_path, "inline")


@pytest.fixture
def local(tmp_path: Path) -> Work:
    return Work(tmp_path, "local")


def test_the_second_time_it_is_reused_and_the_same(work: Work) -> None:
    text = HEAD + "def rows(flights):\n    return flights.filter(pl.col('distance') > 10)\n"
    cold, warm = work.run(text)["rows"], work.run("# a comment\n" + text)["rows"]
    assert (cold.reused, warm.reused) == (False, True)
    assert cold.fingerprint == warm.fingerprint
    assert cold.value == warm.value
    assert cold.value.content == of_frame(work.frame(warm))
    assert_frame_equal(work.frame(cold), FLIGHTS.filter(pl.col("distance") > 10))
    assert warm.seconds == cold.seconds


LIMITED = HEAD + "def rows(flights, *, limit=10):\n    return flights.filter(pl.col('distance') > limit)\n"


def test_a_parameter_that_the_project_gives_counts(work: Work) -> None:
    default = work.run(LIMITED)["rows"]
    given = work.run(LIMITED, plans={"rows": StepPlan(parameters={"limit": 300})})["rows"]
    assert given.fingerprint != default.fingerprint
    assert work.frame(given)["distance"].to_list() == [1400]


@pytest.mark.parametrize(
    ("text", "parameters", "told"),
    [
        (LIMITED, {"limits": 300}, r"no keyword-only parameter of step 'rows' called 'limits'"),
        (LIMITED.replace("=10", ""), {}, r"step 'rows' takes 'limit', which has no value"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(inline: Work, text: str, parameters: dict[str, int], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        inline.run(text, plans={"rows": StepPlan(parameters=parameters)})


def test_forms_that_a_store_could_lose_come_back(inline: Work) -> None:
    text = HEAD + (
        "def rows(flights):\n"
        "    return flights.with_columns(c=pl.col('carrier').cast(pl.Categorical),\n"
        "        e=pl.Series(['a', 'b', None], dtype=pl.Enum(['b', 'a'])), n=None, t=pl.datetime(2013, 1, 1, time_zone='UTC'),\n"
        "        l=pl.Series([[1], [], None]), s=pl.struct('distance'))\n"
    )
    cold, warm = (inline.run(text)["rows"] for _ in range(2))
    assert warm.reused
    assert inline.frame(cold).schema["e"] == pl.Enum(["b", "a"])
    assert of_frame(inline.frame(cold)) == warm.value.content


def test_a_changed_input_code_or_seed_runs_again(inline: Work) -> None:
    text = HEAD + "def rows(flights):\n    return flights.head(2)\n"
    first = inline.run(text)["rows"]
    others = [
        inline.run(text, flights=FLIGHTS.reverse())["rows"],
        inline.run(text.replace("2", "1"))["rows"],
        inline.run(text, seed=1)["rows"],
    ]
    assert not any(other.reused for other in others)
    assert len({first.fingerprint, *(other.fingerprint for other in others)}) == 4


def test_a_helper_in_another_module_that_was_edited_is_seen(work: Work) -> None:
    text = "from helper import limit\ndef rows(flights):\n    return flights.head(limit())\n"
    first = work.run(text, helper="def limit():\n    return 1\n")["rows"]
    second = work.run(text, helper="def limit():\n    return 2\n")["rows"]
    assert (work.frame(first).height, work.frame(second).height) == (1, 2)
    assert not second.reused


def test_what_comes_out_the_same_stops_the_wave(work: Work) -> None:
    text = "def clean(flights):\n    return flights.head(2)\ndef rows(clean):\n    return clean\n"
    work.run(text)
    again = work.run(text.replace("flights.head(2)", "flights[:2]"))
    assert (again["clean"].reused, again["rows"].reused) == (False, True)


def test_the_fingerprint_can_be_looked_up(inline: Work) -> None:
    done = inline.run(HEAD + "def rows(flights):\n    return flights\n")["rows"]
    causes = msgspec.json.decode(inline.store.get(done.fingerprint))
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
def test_a_frame_arrives_as_it_is_annotated(inline: Work, imports: str, annotation: str, body: str) -> None:
    done = inline.run(f"{imports}\ndef rows(flights{annotation}):\n    return {body}\n")["rows"]
    assert inline.frame(done)["distance"].to_list() == [1400, 200]


MADE: Mapping[str, Any] = {
    "b'\\x00\\xff'": b"\x00\xff",
    "'text \\ud800'": "text \ud800",
    "{'a': [1, 2.5, None, True, 'x'], 'b': {}}": {"a": [1, 2.5, None, True, "x"], "b": {}},
    "42": 42,
    "(1, 2)": (1, 2),
    "{1: 'a'}": {1: "a"},
    "float('inf')": float("inf"),
    "[10 ** 30]": [10**30],
    "{'x'}": {"x"},
    "Counter('aab')": {"a": 2, "b": 1},
}


@pytest.mark.parametrize(("expression", "value"), MADE.items(), ids=MADE.keys())
def test_any_value_comes_back_as_it_was_and_reaches_the_next_step(work: Work, expression: str, value: Any) -> None:
    text = f"from collections import Counter\ndef first():\n    return {expression}\ndef second(first):\n    return repr(first)\n"
    cold, warm = (work.run(text, "second") for _ in range(2))
    assert work.value(cold["first"]) == value
    assert type(work.value(warm["first"])).__name__ in (type(value).__name__, "Counter")
    assert work.value(warm["second"]) == work.value(cold["second"])
    assert all(one.reused for one in warm.values())


def test_arrays_come_back(work: Work) -> None:
    text = "import numpy as np\ndef first():\n    return np.arange(6.0).reshape(2, 3)\ndef second(first):\n    return float(first.sum())\n"
    done = work.run(text, "second")
    assert np.array_equal(work.value(done["first"]), np.arange(6.0).reshape(2, 3))
    assert work.value(done["second"]) == 15.0


def test_files_come_as_a_folder(work: Work) -> None:
    text = (
        "import tempfile\nfrom pathlib import Path\n"
        "def pages():\n"
        "    folder = Path(tempfile.mkdtemp())\n"
        "    (folder / 'deep').mkdir()\n"
        "    (folder / 'deep/one.txt').write_text('one')\n"
        "    (folder / 'two.txt').write_text('two')\n"
        "    return folder\n"
        "def count(pages: Path):\n"
        "    return {str(one.relative_to(pages)): one.read_text() for one in sorted(pages.rglob('*.txt'))}\n"
    )
    done = work.run(text, "count")
    assert work.value(done["count"]) == {"deep/one.txt": "one", "two.txt": "two"}
    assert work.run(text, "count")["pages"].value == done["pages"].value


def test_the_same_bytes_of_another_kind_are_another_content(inline: Work) -> None:
    contents = {inline.run(f"def rows():\n    return {made}\n")["rows"].value.content for made in ("b'1'", "'1'", "1", "1.0", "'1.0'")}
    assert len(contents) == 5


def test_randomness_without_a_seed_repeats(work: Work) -> None:
    text = "import random\nimport numpy as np\ndef rows():\n    return [float(np.random.rand()), random.random(), {'a', 'b', 'c'}]\n"
    (work.home / "elsewhere").mkdir()
    again = Work(work.home / "elsewhere", "local").run(text, seed=1)["rows"]
    if work.where == "local":  # in the process of the tests a set has another order each time
        assert again.value.content == work.run(text, seed=1)["rows"].value.content
    assert not again.reused
    assert again.value.content != work.run(text, seed=2)["rows"].value.content


def test_a_library_that_is_imported_late_is_sown_too(work: Work) -> None:
    text = "def rows():\n    import numpy as np\n    return float(np.random.rand())\n"
    assert work.value(work.run(text, seed=1)["rows"]) == np.random.RandomState(1).rand()


def test_a_users_error_shows_their_lines_and_not_ours(work: Work) -> None:
    text = "def rows(flights):\n    return helper(flights)\ndef helper(frame):\n    return frame['distanse']\n"
    with pytest.raises(StepFailed, match="step 'rows' raised ColumnNotFoundError") as caught:
        work.run(text)
    assert 'File "pipeline.py", line 2, in rows' in caught.value.trace
    assert "frame['distanse']" in caught.value.trace
    assert "calling.py" not in str(caught.value)
    assert "site-packages" not in str(caught.value)


def test_a_lazy_frame_that_breaks_is_the_steps_fault(inline: Work) -> None:
    with pytest.raises(StepFailed, match="distanse"):
        inline.run("def rows(flights):\n    return flights.lazy().select('distanse')\n")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("None", "step 'rows' returned None"),
        ("(x for x in [])", "generator, which cannot be kept"),
        ("Path('nowhere')", "where nothing is"),
    ],
)
def test_what_cannot_be_kept_is_said(work: Work, value: str, words: str) -> None:
    with pytest.raises(StepFailed, match=words):
        work.run(f"from pathlib import Path\ndef rows():\n    return {value}\n")


def test_an_unknown_name_is_told_with_the_nearest(inline: Work) -> None:
    with pytest.raises(UnknownName, match="needed by 'rows'") as caught:
        inline.run("def rows(flihgts):\n    return flihgts\n")
    assert "flights" in caught.value.mend


def test_what_else_was_done_is_kept_when_a_step_fails(work: Work) -> None:
    text = "def good():\n    return 1\ndef bad(good):\n    raise ValueError('no')\ndef other():\n    return 2\n"
    with pytest.raises(StepFailed, match="no"):
        work.run(text, "bad", "other")
    again = work.run(text.replace("raise ValueError('no')", "return 3"), "bad", "other")
    assert again["good"].reused
    assert not again["bad"].reused


def test_independent_steps_execute_at_once(local: Work) -> None:
    step = "def {}():\n    begin = time.time()\n    time.sleep(1)\n    return [begin, time.time()]\n"
    done = local.run(f"import time\n{step.format('a')}{step.format('b')}def rows(a, b):\n    return [*a, *b]\n")
    begin, end, other_begin, other_end = local.value(done["rows"])
    assert max(begin, other_begin) < min(end, other_end)


def test_a_worker_that_dies_is_a_fault_of_its_step(local: Work) -> None:
    text = "import os, signal\ndef rows():\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    with pytest.raises(StepFailed, match=r"step 'rows' was killed \(signal 9\)") as caught:
        local.run(text)
    assert "memory" in caught.value.mend
    with pytest.raises(StepFailed, match="ended with exit code 3"):
        local.run("import os\ndef rows():\n    os._exit(3)\n")


def test_what_a_step_prints_is_in_its_log_alone(local: Work, capfd: pytest.CaptureFixture[str]) -> None:
    text = "import os\ndef rows():\n    print('by Python')\n    os.system('echo by a child')\n    return 1\ndef quiet():\n    return 2\n"
    local.run(text, "rows", "quiet")
    assert (local.home / "logs/rows.log").read_text().split("\n")[:2] in (["by Python", "by a child"], ["by a child", "by Python"])
    assert not (local.home / "logs/quiet.log").exists()
    assert capfd.readouterr() == ("", "")


def test_workers_end_with_their_run(local: Work) -> None:
    done = local.run("import os\ndef rows():\n    return os.getpid()\n")["rows"]
    with pytest.raises(ProcessLookupError):
        os.kill(local.value(done), 0)


def test_a_chain_takes_one_worker(local: Work) -> None:
    text = "import os\ndef a():\n    return os.getpid()\ndef rows(a):\n    return [a, os.getpid()]\n"
    assert len(set(local.value(local.run(text)["rows"]))) == 1


def test_a_function_that_a_library_decorates_is_a_step_and_its_edit_executes_it(work: Work) -> None:
    text = HEAD + "from functools import lru_cache\nimport numpy as np\n@lru_cache\ndef a():\n    return 1\n"
    text += "@np.errstate(divide='ignore')\ndef rows(a, flights: pl.LazyFrame):\n    return flights.head(a)\n"
    assert work.frame(work.run(text)["rows"]).height == 1
    again = work.run(text.replace("return 1", "return 2"))
    assert (again["a"].reused, work.frame(again["rows"]).height) == (False, 2)
    assert not work.run(text.replace("'ignore'", "'warn'"))["rows"].reused


def test_a_long_chain(local: Work) -> None:
    many = "def s0():\n    return 0\n" + "".join(f"def s{n}(s{n - 1}):\n    return s{n - 1} + 1\n" for n in range(1, 60))
    assert local.value(local.run(many, "s59")["s59"]) == 59
    again = local.run(many.replace("s30 + 1", "s30 + 2"), "s59")
    assert [name for name, one in again.items() if not one.reused] == [f"s{n}" for n in range(31, 60)]


def test_memory_is_a_store_too(tmp_path: Path) -> None:
    work = Work(tmp_path, "inline")
    work.store = MemoryStore()
    text = "def rows(flights):\n    return flights\n"
    assert [work.run(text)["rows"].reused for _ in range(2)] == [False, True]


FLAKY = (
    "from pathlib import Path\n"
    "def rows():\n"
    "    count = Path({file!r})\n"
    "    count.write_text(count.read_text() + 'x' if count.exists() else 'x')\n"
    "    if len(count.read_text()) < 3:\n"
    "        raise ConnectionResetError('not yet')\n"
    "    return count.read_text()\n"
)


@pytest.mark.parametrize("retry_on", [(), ("ConnectionError",), ("ValueError", "ConnectionResetError")])
def test_an_error_that_passes_by_itself_is_tried_again(work: Work, retry_on: tuple[str, ...]) -> None:
    text = FLAKY.format(file=str(work.home / "count"))
    done = work.run(text, plans={"rows": StepPlan(retries=2, retry_on=retry_on)})
    assert work.value(done["rows"]) == "xxx"


def test_each_time_it_waits_longer_while_others_go_on_and_its_log_has_every_error(local: Work) -> None:
    order = local.home / "order"
    text = FLAKY.format(file=str(local.home / "count")).replace("    count = ", f"    open({str(order)!r}, 'a').write('r')\n    count = ")
    text += f"def other():\n    open({str(order)!r}, 'a').write('o')\n    return 1\n"
    begin = time.monotonic()
    local.run(text, "rows", "other", slots=1, plans={"rows": StepPlan(retries=2)})
    assert time.monotonic() - begin >= 0.05 + 0.1
    assert order.read_text() == "rorr"
    log = (local.home / "logs/rows.log").read_text()
    assert log.count("\nConnectionResetError: not yet\n--- tried again after: step 'rows' raised ConnectionResetError: not yet\n") == 2
    local.run(text + "# other code, the same step\n", "rows", plans={"rows": StepPlan(retries=2)})
    (local.home / "count").unlink()
    local.run(text.replace("not yet", "never"), "rows", plans={"rows": StepPlan(retries=2)})
    assert "not yet" not in (local.home / "logs/rows.log").read_text()


@pytest.mark.parametrize("plan", [StepPlan(retries=1), StepPlan(retries=9, retry_on=("ValueError",)), StepPlan()])
def test_it_is_not_tried_more_often_than_declared_nor_after_another_error(work: Work, plan: StepPlan) -> None:
    with pytest.raises(StepFailed, match="not yet"):
        work.run(FLAKY.format(file=str(work.home / "count")), plans={"rows": plan})
    assert len((work.home / "count").read_text()) == (2 if plan.retries == 1 else 1)


def test_a_step_that_takes_too_long_is_ended(local: Work) -> None:
    text = "import time\ndef slow():\n    time.sleep(30)\n    return 1\ndef quick():\n    return 2\n"
    begin = time.monotonic()
    with pytest.raises(StepFailed, match=r"'slow' took longer than its timeout of 0.5 s"):
        local.run(text, "slow", "quick", plans={"slow": StepPlan(timeout=timedelta(seconds=0.5))})
    assert time.monotonic() - begin < 10
    assert local.run(text, "quick")["quick"].reused
