"""`towpath show --graph` and `compare` on a small pipeline that ran, was edited, and broke."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from towpath import events as ev
from towpath import kept
from towpath.cli import main
from towpath.ledger import Entry
from towpath.project_file import load

PIPELINE = """def words():
    return ["lock", "gate", "barge"]


def longest(words):
    return max(words, key=len)


def count(words):
    return len(words)


def report(longest, count):
    return f"{longest} of {count}"
"""


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=folder, check=True, capture_output=True)


def declared(home: Path) -> None:
    (home / "towpath.yaml").write_text("name: words\npipeline: pipeline.py\nsteps: {report: {}}\n")
    (home / "pipeline.py").write_text(PIPELINE)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run 1 made all, run 2 had one step changed, run 3 broke."""
    home = tmp_path_factory.mktemp("ran")
    declared(home)
    (home / ".gitignore").write_text(".towpath\n__pycache__\n")
    before = Path.cwd()
    os.chdir(home)
    try:
        git(home, "init", "--quiet")
        for number, text in enumerate((PIPELINE, PIPELINE.replace("len(words)", "len(words) + 1"), PIPELINE.replace("key=len", "key=1"))):
            (home / "pipeline.py").write_text(text)
            git(home, "add", ".")
            git(home, "commit", "--quiet", "-m", str(number))
            assert main(["run"]) == (number == 2)
    finally:
        os.chdir(before)
    return home


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_a_run_shows_what_it_executed(run, ran):
    said = run("show", "run", "1", "--graph", cwd=ran)
    assert said.code == 0, said.err
    assert [line[: line.index("executed")] for line in lines(said.out)] == [
        ["●", "words"],
        ["├─●", "longest"],
        ["●", "│", "count"],
        ["●─╯", "report"],
    ]
    assert all(line[-1] == "s" for line in lines(said.out))


def test_a_run_shows_what_it_reused(run, ran):
    nodes = {node["name"]: node for node in json.loads(run("show", "run", "2", "--graph", "--json", cwd=ran).out)}
    assert {name: node["state"] for name, node in nodes.items()} == {
        "words": "reused",
        "longest": "reused",
        "count": "executed",
        "report": "executed",
    }
    assert nodes["report"]["takes"] == ["longest", "count"]
    assert nodes["words"]["seconds"] is None


def test_a_run_that_broke_shows_where_and_what_it_did_not_reach(run, ran):
    said = run("show", "run", "3", "--graph", cwd=ran)
    rows = {name: rest for name, *rest in (line[[*map(str.isalpha, line)].index(True) :] for line in lines(said.out))}
    assert rows["longest"] == ["failed", "raised", "TypeError:", "'int'", "object", "is", "not", "callable"]
    assert rows["report"] == ["not", "reached"]
    assert rows["count"] == ["reused"]  # what went on beside it is known
    assert "pipeline\n  " in run("show", "run", "3", cwd=ran).out


@pytest.mark.parametrize(("form", "begins"), [("png", b"\x89PNG"), ("svg", b"<svg"), ("html", b"<!DOCTYPE html>")])
def test_the_pipeline_is_drawn(run, ran, tmp_path, form, begins):
    pytest.importorskip("vl_convert")
    said = run("show", "run", "3", "--picture", tmp_path / f"p.{form}", cwd=ran)
    assert (said.code, said.err) == (0, "")
    data = (tmp_path / f"p.{form}").read_bytes()
    assert data.startswith(begins)
    if form == "svg":
        for text in ("run 3: failed", "words", "longest", "failed · raised TypeError", "not reached"):
            assert text in data.decode(), text


def test_a_picture_of_no_known_form_is_refused(run, ran):
    said = run("show", "run", "1", "--picture", "p.jpg", cwd=ran)
    assert (said.code, "*.png, *.svg, *.html" in said.err) == (2, True)


def test_a_ledger_that_does_not_tell_the_plan_yet_has_the_ways_of_the_causes(run, ran, tmp_path):
    project = load(ran, {})
    declared(tmp_path)
    (tmp_path / ".towpath").mkdir()
    (tmp_path / ".towpath/store").symlink_to(ran / ".towpath/store")
    old = [record.entry for record in kept.ledger(project).read() if not isinstance(record.entry.event, ev.StepsPlanned)]
    kept.ledger(load(tmp_path, {})).append(old)
    shown = [json.loads(run("show", "run", "2", "--graph", "--json", cwd=folder).out) for folder in (tmp_path, ran)]
    before, after = ({node["name"]: (node["state"], {*node["takes"]}) for node in nodes} for nodes in shown)
    assert before == after


def test_a_run_that_came_to_nothing_says_so(run, tmp_path):
    declared(tmp_path)
    facts = {"trigger": "commit", "cause": "commit abc", "commit": "abc", "host": "h", "boot": "b", "pid": 1}
    started = Entry(id="a", at=kept.clock().now(), machine=0.0, event=ev.RunStarted(run=1, **facts))
    kept.ledger(load(tmp_path, {})).append([started])
    assert run("show", "run", "1", "--graph", cwd=tmp_path).out == "it came to no part of the pipeline\n"
    assert run("show", "run", "1", cwd=tmp_path).code == 0


def test_runs_stand_side_by_side(run, ran):
    said = run("compare", "run", "1", "run", "2", "run", "3", cwd=ran)
    assert said.code == 0, said.err
    head, *rest = lines(said.out)
    assert head == ["run", "1", "run", "2", "run", "3"]
    marked = {" ".join(line[1:3]): line[3:] for line in rest if line[0] == "≠"}
    assert marked["outcome executed"] == ["executed", "failed"]
    first, *_, other = marked["step count"]
    assert marked["step longest"][-1] == "-"
    assert first
    assert other
    (equal,) = [line for line in rest if line[0] == "="]
    assert {"installed", "words"} <= {*equal}


def test_the_same_is_json(run, ran):
    told = json.loads(run("compare", "run", "1", "run", "2", "--json", cwd=ran).out)
    assert told["runs"] == [1, 2]
    differing = {(row["what"], row["name"]) for row in told["differing"]}
    assert {("step", "count"), ("step", "report"), ("", "commit")} == differing
    assert ("step", "words") in {(row["what"], row["name"]) for row in told["equal"]}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "1"], "run 1 alone cannot be compared"),
        (["run", "1", "run", "9"], "no run called '9'"),
        (["run", "1", "2"], "no version called '2'"),
        (["run", "1", "run"], "names no run"),
        (["it"], "names no version"),
    ],
)
def test_what_cannot_be_compared_is_told(run, ran, words, told):
    said = run("compare", *words, cwd=ran)
    assert said.code == 2
    assert told in said.err


def test_two_are_not_shown_but_compared(run, ran):
    said = run("show", "run", "1", "run", "2", cwd=ran)
    assert said.code == 2
    assert "`towpath compare run 1 run 2`" in said.err


def test_where_no_model_is_trained_the_status_speaks_of_steps(run, ran, tmp_path):
    declared(tmp_path)
    before = run("status", cwd=tmp_path).out
    assert "next: `towpath run` makes the steps" in before
    assert "version" not in before
    assert "next: `towpath show run 3 --graph`" in run("status", cwd=ran).out


def test_a_run_that_ends_in_what_nobody_foresaw_has_ended(run, ran, tmp_path, monkeypatch):
    home = tmp_path / "ran"
    shutil.copytree(ran, home)
    monkeypatch.setattr("towpath.run.main.unpack_tree", lambda *args: 1 / 0)
    assert run("run", cwd=home).code == 1
    assert "a fault of Towpath: ZeroDivisionError" in run("runs", cwd=home).out
    assert "none is going on" in run("status", cwd=home).out
