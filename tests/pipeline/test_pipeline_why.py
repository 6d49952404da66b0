"""`towpath why step`: the layer that differs, in words and as a diff, from the ledger and the store."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from towpath import events as ev
from towpath import holdings, kept
from towpath.cli import main
from towpath.digest import Digest, canonical_json
from towpath.ledger import Entry
from towpath.pipeline.code.reach import Project as Code
from towpath.pipeline.fingerprint import causes
from towpath.pipeline.reasons import differences, in_words, layers
from towpath.project import Project
from towpath.project_file import load

YAML = "name: small\ndata: {rides: rides.csv}\npipeline: pipeline.py\nmodel: {task: binary, rows: rows, label: late}\n"
PIPELINE = """import os

from scaling import scaled


def rows(rides):
    return scaled(rides, os.environ["SCALE"])
"""
SCALING = "def scaled(column, by):\n    return column / by\n"
JUNE, OTHER = Digest("a" * 64), Digest("b" * 64)


class Told:
    """A project to which runs are told as the engine tells them: causes in the store, an event in the ledger."""

    def __init__(self, root: Path) -> None:
        self.root, self.run = root, 0
        (root / "towpath.yaml").write_text(YAML)
        (root / "pipeline.py").write_text(PIPELINE)
        (root / "scaling.py").write_text(SCALING)

    @property
    def project(self) -> Project:
        return load(self.root, {})

    def ran(self, *, reused: bool = False, rides: Digest = JUNE, kept_causes: bool = True, step: str = "rows") -> Digest:
        """One run that came to the step."""
        self.run += 1
        reached = Code(self.root, "pipeline.py").reach(step)
        print_of = Digest(f"{self.run:064}")
        if kept_causes:
            print_of = holdings.store(self.project).put(canonical_json(causes(reached, parameters={}, inputs={"rides": rides}, seed=3)))
        told = [
            ev.RunStarted(run=self.run, trigger="command", cause="by hand", commit="c" * 40, host="h", boot="b", pid=1),
            ev.StepExecuted(run=self.run, step=step, fingerprint=print_of, reused=reused, seconds=0.0 if reused else 1.5, content=JUNE),
        ]
        at = datetime(2024, 6, self.run, 12, tzinfo=UTC)
        kept.ledger(self.project).append([Entry(id=f"{self.run}-{n}", at=at, machine=0.0, event=one) for n, one in enumerate(told)])
        return print_of


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


@pytest.fixture
def ask(told, capsys, monkeypatch):
    """(exit code, what was printed, what was told of errors)."""

    def ask(*words: str) -> tuple[int, str, str]:
        monkeypatch.chdir(told.root)
        code = main(["why", "step", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return ask


def test_the_first_time_has_nothing_to_compare_with(told, ask):
    told.ran()
    code, out, _ = ask("rows")
    assert code == 0
    assert out.splitlines()[0] == "step rows, run 1: executed in 1.5 s; there is no other time to compare with"


def test_an_edited_helper_is_shown_with_its_diff(told, ask):
    told.ran()
    (told.root / "scaling.py").write_text(SCALING.replace("column / by", "column / by / 2"))
    told.ran()
    _, out, _ = ask("rows")
    assert out.splitlines()[:6] == [
        "step rows, run 2: executed in 1.5 s; since run 1 (2024-06-01 12:00) code changed",
        "  code: scaled of scaling changed",
        "    @@ -1,2 +1,2 @@",
        "     def scaled(column, by):",
        "    -    return column / by",
        "    +    return column / by / 2",
    ]


def test_new_data_is_told_as_an_input(told, ask):
    told.ran()
    told.ran(rides=OTHER)
    assert "  input rides has content bbbbbbbb, was aaaaaaaa" in ask("rows")[1].splitlines()


def test_a_reused_step_says_since_when(told, ask):
    told.ran(rides=OTHER)
    told.ran()
    told.ran(reused=True)
    told.ran(reused=True)
    out = ask("rows")[1]
    assert out.startswith(
        "step rows, run 4: reused: nothing that it depends on has changed since run 2 (2024-06-02 12:00), which executed it in 1.5 s; "
        "since run 1 (2024-06-01 12:00) inputs changed\n"
    )


def test_an_execution_from_elsewhere_is_told_as_such(told, ask):
    told.ran(reused=True)
    assert "since an execution that no run told of" in ask("rows")[1]


def test_an_execution_without_a_change_is_told_as_such(told, ask):
    told.ran()
    told.ran()
    assert "executed again, though nothing has changed since run 1" in ask("rows")[1]


def test_another_run_is_asked_for_by_its_number(told, ask):
    told.ran()
    told.ran(rides=OTHER)
    told.ran()
    assert ask("rows", "--run", "2")[1].startswith("step rows, run 2: executed")
    code, _, err = ask("rows", "--run", "9")
    assert code == 2
    assert "no run that came to step 'rows' called '9'" in err
    assert "there is: 1, 2, 3" in err


def test_weaknesses_come_with_their_lines(told, ask):
    told.ran()
    assert (
        "  pipeline.py:7: `os.environ` depends on the machine or the environment: take the value as a keyword-only parameter"
        in ask("rows")[1]
    )


def test_code_that_cannot_be_read_does_not_hide_the_past(told, ask):
    told.ran()
    (told.root / "pipeline.py").write_text("def rows(:\n")
    code, out, _ = ask("rows")
    assert code == 0
    assert "the code cannot be read: pipeline.py:1" in out


def test_causes_that_are_gone_are_told(told, ask):
    told.ran(kept_causes=False)
    told.ran()
    code, out, _ = ask("rows")
    assert code == 0
    assert "run 1 (2024-06-01 12:00) had other causes, and what they were is not in the store" in out


def test_an_unknown_step_gets_the_nearest(told, ask):
    told.ran()
    code, _, err = ask("rowz")
    assert code == 2
    assert "no step in any run called 'rowz'" in err
    assert "did you mean rows?" in err


def test_it_is_json_where_that_was_asked_for(told, ask):
    told.ran()
    told.ran(rides=OTHER)
    found = json.loads(ask("rows", "--json")[1])
    assert (found["layers"], found["run"], found["before"], found["made_by"]) == (["inputs"], 2, 1, 2)
    assert found["changes"] == [
        {"layer": "inputs", "name": "rides", "how": "changed", "before": JUNE, "after": OTHER, "diff": []},
    ]


BASE = {
    "code": {"m:f": "def f():\n    return 1", "m:<import>": "print()", "m:<order>": "A\nB"},
    "parameters": {"trees": 200, "depth": None},
    "inputs": {"rides": JUNE},
    "seed": 3,
    "distributions": {"polars": "1.0"},
    "surroundings": {"python": "3.11"},
}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"code": {**BASE["code"], "m:g": "G = 1"}}, ["code: g of m was added"]),
        (
            {"code": {"m:f": BASE["code"]["m:f"]}},
            ["code: what m does on import was removed", "code: the order of what m does on import was removed"],
        ),
        ({"parameters": {"trees": 300, "depth": None}}, ["parameter trees is 300, was 200"]),
        ({"parameters": {"trees": 200}}, ["parameter depth is gone, was None"]),
        ({"parameters": {"trees": 200, "depth": 4}}, ["parameter depth is 4, was None"]),
        ({"inputs": {"rides": JUNE, "zones": OTHER}}, ["input zones is new: bbbbbbbb"]),
        ({"seed": 4}, ["seed is 4, was 3"]),
        ({"distributions": {"polars": "1.1"}}, ["distribution polars is 1.1, was 1.0"]),
        ({"distributions": {}}, ["distribution polars is gone, was 1.0"]),
        ({"surroundings": {"python": "3.12"}}, ["the machine's python is 3.12, was 3.11"]),
        ({"image": "debian"}, ["image is new: debian"]),
        ({}, []),
    ],
)
def test_each_layer_has_its_words(changed, words):
    found = differences(BASE, {**BASE, **changed})
    assert [in_words(one) for one in found] == words
    assert layers(found) == list(changed)
