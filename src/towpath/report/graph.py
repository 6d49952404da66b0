"""The pipeline of one run as a graph: datasets, steps, training, gates, version, each with its state. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from towpath.pipeline.fan_out import is_part, whole_of
from towpath.pipeline.runs import Run
from towpath.project_model import Model
from towpath.report.rails import rails
from towpath.verdict import Answer, Verdict, overall

MOST_RAILS = 32  # characters of them
TRAINING, GATES = "training", "gates"
Takes = Mapping[str, Sequence[str]]


class State(StrEnum):
    """How far a run came with a part of its pipeline."""

    GIVEN = "dataset"
    EXECUTED = "executed"
    REUSED = "reused"
    PASSED = "passed"
    UNDECIDED = "undecided"
    FAILED = "failed"
    NOT_REACHED = "not reached"


SIGNS = {
    State.GIVEN: "◇",
    State.EXECUTED: "●",
    State.REUSED: "○",
    State.PASSED: "✓",
    State.UNDECIDED: "?",
    State.FAILED: "✗",
    State.NOT_REACHED: "·",
}


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the pipeline. ``takes`` names those whose values it takes; ``told`` says in a few words how it went."""

    name: str
    state: State
    takes: tuple[str, ...] = ()
    seconds: float | None = None
    told: str = ""


def nodes(run: Run, takes: Takes, model: Model | None) -> tuple[Node, ...]:
    """The pipeline of a run, each part behind those that it takes; nothing of one that came to none.

    Args:
        takes: what each step takes.
        model: what the project trains, if it does.
    """
    found = [*_datasets(run), *_steps(run, takes)]
    if model and found:
        found = _judged(run, found, model)
    known = {node.name for node in found}
    return tuple(in_order([replace(node, takes=tuple(name for name in node.takes if name in known)) for node in found]))


def _datasets(run: Run) -> list[Node]:
    return [
        Node(name=name, state=State.GIVEN, told=f"{one.rows:,} rows" if one.rows >= 0 else f"{one.files:,} files")
        for name, one in run.snapshots.items()
    ]


def _steps(run: Run, takes: Takes) -> list[Node]:
    """The declared steps: what was split into parts is one."""
    names: dict[str, list[str]] = {}
    for name in dict.fromkeys([*takes, *(one.step for one in run.steps)]):
        names.setdefault(whole_of(name), []).append(name)
    return [
        _step(run, whole, list(dict.fromkeys(whole_of(one) for name in all_of_it for one in takes.get(name, ()))))
        for whole, all_of_it in names.items()
    ]


def _step(run: Run, name: str, takes: Sequence[str]) -> Node:
    inputs = tuple(one for one in takes if one != name)
    done = [one for one in run.steps if whole_of(one.step) == name]
    if run.failed and whole_of(run.failed.step) == name:
        told = run.failed.because.removeprefix(f"step {name!r} ")
        return Node(name=name, state=State.FAILED, takes=inputs, told=told)
    if all(one.step != name for one in done):
        return Node(name=name, state=State.NOT_REACHED, takes=inputs)
    executed, parts = [one for one in done if not one.reused], [one for one in done if is_part(one.step, name)]
    counted = f"{sum(not one.reused for one in parts):,} of {len(parts):,} parts" if parts and executed else ""
    if not executed:
        return Node(name=name, state=State.REUSED, takes=inputs)
    seconds = sum(one.seconds for one in executed)
    return Node(name=name, state=State.EXECUTED, takes=inputs, seconds=seconds, told=", ".join(filter(None, [f"{seconds:.1f} s", counted])))


def _ends(found: Iterable[Node]) -> tuple[str, ...]:
    """What nothing else takes."""
    found = list(found)
    taken = {name for node in found for name in node.takes}
    return tuple(node.name for node in found if node.name not in taken)


def _judged(run: Run, found: Sequence[Node], model: Model) -> list[Node]:
    """With training, which takes the rows, and what comes after it."""
    name = model.train or TRAINING
    before = [node for node in found if node.name != name]
    rows = (model.rows,) if any(node.name == model.rows for node in before) else _ends(before)
    training = next((node for node in found if node.name == name), None)
    if training is None:  # it was not come to, or it was no step of its own
        training = Node(name=name, state=State.EXECUTED if run.candidate else State.NOT_REACHED)
    after = [replace(training, takes=rows), _gates(run.gates, name)]
    return [*before, *after, *([Node(name=f"version {run.version}", state=State.PASSED, takes=(GATES,))] if run.version else [])]


def _gates(verdicts: Sequence[Verdict], training: str) -> Node:
    if not verdicts:
        return Node(name=GATES, state=State.NOT_REACHED, takes=(training,))
    said = overall(verdicts)
    state = {Answer.PASS: State.PASSED, Answer.FAIL: State.FAILED}.get(said, State.UNDECIDED)
    passed = sum(verdict.answer is Answer.PASS for verdict in verdicts)
    worst = next((f": {verdict.because}" for verdict in verdicts if verdict.answer is said is not Answer.PASS), "")
    return Node(name=GATES, state=state, takes=(training,), told=f"{passed} of {len(verdicts)}{worst}")


def in_order(found: Sequence[Node]) -> list[Node]:
    """Each node behind those that it takes, and as near to them as can be: of several, what goes deepest comes first."""
    known, depth = {node.name: node for node in found}, _depths(found)
    order: dict[str, Node] = {}
    waiting = [*reversed(_ends(found))]
    while waiting:
        node = known[waiting[-1]]
        missing = sorted((name for name in reversed(node.takes) if name not in order), key=lambda name: depth[name])
        if missing:
            waiting += missing
        else:
            order[waiting.pop()] = node
    return list(order.values())


def _depths(found: Sequence[Node]) -> dict[str, int]:
    """How many nodes lie on the longest way to each, itself among them."""
    depth: dict[str, int] = {}
    known = {node.name: node for node in found}
    waiting = [*known]
    while waiting:
        takes = known[waiting[-1]].takes
        if missing := [name for name in takes if name not in depth]:
            waiting += missing
        else:
            depth[waiting.pop()] = 1 + max((depth[name] for name in takes), default=0)
    return depth


def in_words(graph: Sequence[Node], width: int) -> str:
    """The graph as lines of at most ``width`` characters: rails that lead from value to value, names, states.

    Where so many values are under way that the rails would fill half of it, steps that are alike are one line, or rails are left out.

    >>> print(in_words([Node(name="rides", state=State.GIVEN), Node(name="rows", state=State.REUSED, takes=("rides",))], 80))
    ◇  rides  dataset
    ○  rows   reused
    """
    most = min(width // 2, MOST_RAILS)
    for one in (graph, folded(graph)):
        for gap in (1, 0):
            drawn = rails([(node.name, SIGNS[node.state], node.takes) for node in one], gap=gap)
            if max(map(len, drawn), default=0) <= most:
                return _lines(one, drawn, width)
    named = [replace(one, told=", ".join(filter(None, [one.told, _takes(one)]))) for one in graph]
    return _lines(named, [SIGNS[node.state] for node in graph], width)


def _takes(node: Node) -> str:
    return f"takes {', '.join(node.takes)}" if node.takes else ""


def _lines(graph: Sequence[Node], drawn: Sequence[str], width: int) -> str:
    rail, name, state = (max(map(len, column), default=0) for column in (drawn, [one.name for one in graph], [one.state for one in graph]))
    name = min(name, max(12, width - rail - state - 16))
    lines = [
        f"{signs:<{rail}}  {clipped(one.name, name):<{name}}  {one.state:<{state}}  {one.told}"
        for signs, one in zip(drawn, graph, strict=True)
    ]
    return "\n".join(clipped(line.rstrip(), width) for line in lines)


def folded(graph: Sequence[Node]) -> list[Node]:
    """The graph with one node for steps that take the same, give to the same, and are in the same state."""
    users: dict[str, list[str]] = {}
    for node in graph:
        for name in node.takes:
            users.setdefault(name, []).append(node.name)
    alike: dict[tuple[object, ...], list[Node]] = {}
    for node in graph:
        alike.setdefault((node.state, node.takes, tuple(users.get(node.name, ()))), []).append(node)
    called = {node.name: _together(twins).name for twins in alike.values() for node in twins}
    return [replace(_together(twins), takes=tuple(dict.fromkeys(called[name] for name in twins[0].takes))) for twins in alike.values()]


def _together(twins: Sequence[Node]) -> Node:
    if len(twins) == 1:
        return twins[0]
    seconds = [one.seconds for one in twins if one.seconds is not None]
    told = f"{len(twins)} alike" + (f", {sum(seconds):.1f} s" if seconds else "")
    return replace(twins[0], name=f"{twins[0].name} … {twins[-1].name}", seconds=sum(seconds) if seconds else None, told=told)


def clipped(text: str, most: int) -> str:
    """A text of at most so many characters.

    >>> clipped("a long name", 7)
    'a long…'
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"
