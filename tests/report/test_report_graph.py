"""The pipeline of a run as a graph: which parts there are, and how far each came."""

from __future__ import annotations

from datetime import UTC, datetime

from towpath import events as ev
from towpath.digest import Digest
from towpath.pipeline.runs import Run
from towpath.project import Model
from towpath.report.graph import State, nodes
from towpath.verdict import Answer, Verdict

A = Digest("a" * 64)
AT = datetime(2024, 6, 1, tzinfo=UTC)
MODEL = Model(task="binary", rows="rows", label="late", train="model")
TAKES = {"rows": ("rides",), "means[each]": ("rows",), "means": ("means[each]",)}


def run(**fields: object) -> Run:
    taken = {"rides": ev.SnapshotTaken(run=1, dataset="rides", digest=A, content=A, rows=1200, files=1)}
    facts = {"trigger": "command", "cause": "by hand", "commit": "c", "patch": None, "host": "h", "boot": "b", "pid": 1, "lease_s": 1.0}
    return Run(number=1, started=AT, heard=AT, snapshots=taken, **facts, **fields)


def step(name: str, *, reused: bool = False, seconds: float = 1.0) -> ev.StepExecuted:
    return ev.StepExecuted(run=1, step=name, fingerprint=A, reused=reused, seconds=seconds, content=A)


def test_a_step_in_parts_is_one_with_what_was_executed_of_it():
    steps = (step("rows", reused=True), step("means[each]"), step("means[1]", reused=True), step("means[2]"), step("means", seconds=0.5))
    found = {node.name: node for node in nodes(run(steps=steps), TAKES, None)}
    assert list(found) == ["rides", "rows", "means"]
    assert (found["means"].takes, found["means"].state, found["means"].told) == (("rows",), State.EXECUTED, "2.5 s, 1 of 2 parts")
    reused = tuple(step(name, reused=True) for name in ("means[each]", "means[1]", "means"))
    assert nodes(run(steps=(step("rows"), *reused)), TAKES, None)[-1].state is State.REUSED


def test_a_part_that_failed_is_the_step_that_failed():
    failed = ev.StepFailed(run=1, step="means[2]", because="step 'means[2]' raised ValueError: no")
    (*_, means) = nodes(run(steps=(step("rows"), step("means[1]")), failed=failed), TAKES, None)
    assert (means.state, means.told) == (State.FAILED, "step 'means[2]' raised ValueError: no")


def test_training_takes_the_rows_whatever_it_calls_them():
    planned = {"rows": ("rides",), "model": ("train", "valid")}
    passed = (Verdict(gate="auc >= 0.5", answer=Answer.PASS, because=""), Verdict(gate="x", answer=Answer.INCONCLUSIVE, because="too few"))
    told = run(steps=(step("rows"), step("model", seconds=3.0)), candidate=A, gates=passed)
    found = nodes(told, planned, MODEL)
    assert [(node.name, node.takes, node.state) for node in found] == [
        ("rides", (), State.GIVEN),
        ("rows", ("rides",), State.EXECUTED),
        ("model", ("rows",), State.EXECUTED),
        ("gates", ("model",), State.UNDECIDED),
    ]
    assert found[-1].told == "1 of 2: too few"


def test_what_was_not_come_to_is_there_too():
    found = nodes(run(failed=ev.StepFailed(run=1, step="rows", because="step 'rows' raised ValueError: no")), {"rows": ("rides",)}, MODEL)
    assert [(node.name, node.state) for node in found] == [
        ("rides", State.GIVEN),
        ("rows", State.FAILED),
        ("model", State.NOT_REACHED),
        ("gates", State.NOT_REACHED),
    ]
    assert found[1].told == "raised ValueError: no"


def test_a_run_that_came_to_nothing_has_none():
    empty = Run(**{name: getattr(run(), name) for name in Run.__struct_fields__} | {"snapshots": {}})
    assert nodes(empty, {}, MODEL) == ()
