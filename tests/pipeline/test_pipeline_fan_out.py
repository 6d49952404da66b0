"""A step for each value of a column: its parts are steps, kept one by one, and what they make is put together again."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from towpath import kept
from towpath.cli import main
from towpath.pipeline.tables import split
from towpath.project_file import load
from towpath.store.local import LocalStore

RIDES = {"month": ["b", "a", "c", "b"], "km": [1, 2, 3, 4]}
HEAD = "import polars as pl\nfrom pathlib import Path\n"
MEANS = HEAD + "def means(rides):\n    return rides.group_by('month').agg(pl.col('km').sum())\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "home"
    made.mkdir()
    (made / ".gitignore").write_text(".towpath\nrides.parquet\n")
    for words in (["init", "--quiet"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "start"]):
        subprocess.run(["git", *words], cwd=made, check=True)
    monkeypatch.chdir(made)
    return made


def run(
    home: Path, code: str, rides: Mapping[str, Any] = RIDES, step: str = "means", each: str = "month", code_of_exit: int = 0
) -> dict[str, bool]:
    """Whether each step of the run was reused."""
    pl.DataFrame(rides).write_parquet(home / "rides.parquet")
    declared = {"name": "rides", "data": {"rides": "rides.parquet"}, "pipeline": "pipeline.py", "steps": {step: {"each": each}}}
    (home / "towpath.yaml").write_text(json.dumps(declared))
    (home / "pipeline.py").write_text(code)
    assert main(["run"]) == code_of_exit
    return last_run(home)


def last_run(home: Path) -> dict[str, bool]:
    runs = kept.state(load(home, {})).runs
    return {one.step: one.reused for one in runs.all[max(runs.all)].steps}


def made(home: Path, step: str) -> Any:
    store = LocalStore(home / ".towpath/store")
    found = [one for one in store.executions() if one.step == step]
    assert found
    one = found[-1]
    data = store.get(one.output)
    return pl.read_ipc(data) if one.codec == "table" else msgspec.json.decode(data) if one.codec == "json" else one


def test_tables_are_put_one_under_another_in_the_order_of_the_values(home):
    assert run(home, MEANS) == dict.fromkeys(["means[each]", "means[a]", "means[b]", "means[c]", "means"], False)
    assert made(home, "means").to_dict(as_series=False) == {"month": ["a", "b", "c"], "km": [2, 5, 3]}


def test_anything_else_becomes_a_dict_by_value(home):
    run(home, "def count(rides):\n    return rides.height\n", {"month": [10, 9, 10], "km": [1, 2, 3]}, step="count")
    assert list(made(home, "count").items()) == [("9", 1), ("10", 2)]


def test_files_get_a_folder_for_each(home):
    code = HEAD + (
        "def pages(rides):\n    page = Path(f'/tmp/towpath-page-{rides[\"month\"][0]}.txt')\n"
        "    page.write_text(str(rides['km'].sum()))\n    return page\n"
        "def read(pages: Path):\n    return {str(one.relative_to(pages)): one.read_text() for one in sorted(pages.rglob('*.txt'))}\n"
    )
    run(home, code, step="pages")
    declared = (home / "towpath.yaml").read_text().replace('"steps": {', '"steps": {"read": {}, ')
    (home / "towpath.yaml").write_text(declared)
    assert main(["run"]) == 0
    assert made(home, "read") == {f"{month}/towpath-page-{month}.txt": km for month, km in (("a", "2"), ("b", "5"), ("c", "3"))}


def test_only_parts_whose_rows_changed_are_executed_again(home, capfd):
    run(home, MEANS)
    changed = {"month": ["b", "a", "c", "b", "d"], "km": [1, 2, 30, 4, 5]}
    now = run(home, MEANS, changed)
    assert [step for step, reused in now.items() if not reused] == ["means[each]", "means[c]", "means[d]", "means"]
    assert made_of_last(home)["km"].to_list() == [2, 5, 30, 5]
    capfd.readouterr()
    assert main(["why", "step", "means"]) == 0
    said = capfd.readouterr().out
    assert "input means[c] has content" in said
    assert "input means[d] is new" in said
    assert "4 parts, executed: means[c], means[d]" in said
    assert main(["why", "step", "means[a]", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["reused"]


def made_of_last(home: Path) -> pl.DataFrame:
    store = LocalStore(home / ".towpath/store")
    tables = [pl.read_ipc(store.get(one.output)) for one in store.executions() if one.step == "means"]
    return max(tables, key=lambda table: table.height)


def test_parts_that_make_the_same_stop_the_wave(home):
    code = "def count(rides):\n    return rides.height\ndef total(count):\n    return sum(count.values())\n"
    run(home, code, step="count")
    (home / "towpath.yaml").write_text((home / "towpath.yaml").read_text().replace('"steps": {', '"steps": {"total": {}, '))
    assert main(["run"]) == 0
    pl.DataFrame({**RIDES, "km": [1, 2, 3, 9]}).write_parquet(home / "rides.parquet")
    assert main(["run"]) == 0
    assert [step for step, reused in last_run(home).items() if not reused] == ["count[each]", "count[b]"]


def test_a_step_over_what_another_made_and_with_other_inputs(home):
    code = (
        "def limit():\n    return 2\ndef clean(rides):\n    return rides.filter(rides['km'] > 1)\n"
        "def count(clean, limit, *, plus=0):\n    return clean.height * limit + plus\n"
    )
    run(home, code, step="count")
    assert made(home, "count") == {"a": 2, "b": 2, "c": 2}


def test_a_part_that_fails_is_named_and_the_others_are_kept(home, capfd):
    code = "def count(rides):\n    if rides['month'][0] == 'b':\n        raise ValueError('no')\n    return 1\n"
    run(home, code, step="count", code_of_exit=1)
    assert "step 'count[b]' raised ValueError: no" in capfd.readouterr().out
    again = run(home, code.replace("raise ValueError('no')", "pass"), step="count")
    assert not again["count[b]"]


def test_what_a_collection_of_garbage_leaves_is_enough_to_go_on(home):
    run(home, MEANS)
    assert main(["data", "gc"]) == 0
    now = run(home, MEANS.replace("sum()", "max()"))
    assert [step for step, reused in now.items() if reused] == ["means[each]"]


@pytest.mark.parametrize(
    ("rides", "each", "words"),
    [
        (RIDES, "mnth", "no column of what step 'means' takes first called 'mnth'"),
        ({"month": [1.5, 2.5], "km": [1, 2]}, "month", "column 'month' is Float64"),
        ({"month": ["null", None], "km": [1, 2]}, "month", "two values of column 'month' are called 'null'"),
    ],
)
def test_what_names_no_parts_is_told(home, capfd, rides, each, words):
    run(home, MEANS, rides, each=each, code_of_exit=1)
    assert words in capfd.readouterr().out


def test_tables_of_different_forms_are_told(home, capfd):
    code = HEAD + "def means(rides):\n    return pl.DataFrame({rides['month'][0]: [1]})\n"
    run(home, code, code_of_exit=1)
    assert "the parts of step 'means' are not one table" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ("{each: month, cmd: ls, out: a}", "`each` is for functions"),
        ("{each: month}", "step 'alone' takes no table whose 'month' there could be"),
    ],
)
def test_what_cannot_be_made_in_parts_is_refused(home, capfd, declared, words):
    (home / "towpath.yaml").write_text(f"name: rides\npipeline: pipeline.py\nsteps: {{alone: {declared}}}\n")
    (home / "pipeline.py").write_text("def alone():\n    return 1\n")
    assert main(["run"]) in (1, 2)
    told = capfd.readouterr()
    assert words in told.out + told.err


def test_values_are_called_what_they_are():
    frame = pl.DataFrame({"day": [date(2013, 2, 1), None, date(2013, 1, 9)], "n": [1, 2, 3]})
    assert [label for label, _ in split(frame, "day", "rows")] == ["2013-01-09", "2013-02-01", "null"]
    assert [part["n"].to_list() for _, part in split(frame, "day", "rows")] == [[3], [1], [2]]
    assert [label for label, _ in split(pl.DataFrame({"is": [True, False]}), "is", "rows")] == ["False", "True"]
