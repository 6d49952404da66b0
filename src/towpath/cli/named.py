"""Which runs and versions a command is about: `VERSION | run N`, and what their pipelines were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from towpath import holdings
from towpath.digest import Digest
from towpath.errors import UnknownName, UsageError
from towpath.pipeline.runs import Run
from towpath.project import Project
from towpath.registry import Version
from towpath.release import controller
from towpath.report import runs as run_pages
from towpath.report.graph import Node, nodes
from towpath.state import State
from towpath.store import Store


class Named(NamedTuple):
    """A run, or a version with the run that made it."""

    run: Run
    version: Version | None = None

    @property
    def title(self) -> str:
        """How it is named."""
        return f"version {self.version.number}" if self.version else f"run {self.run.number}"


class _Causes(msgspec.Struct):
    inputs: dict[str, Digest] = {}


def named(words: Sequence[str], state: State) -> list[Named]:
    """What the words name, in their order.

    Raises:
        UnknownName: there is no such run or version.
        UsageError: a word is no number.
    """
    found, rest = [], list(words)
    while rest:
        what = "run" if rest[0] == "run" else "version"
        number = _number(rest[1:2] if what == "run" else rest[:1], what)
        del rest[: 2 if what == "run" else 1]
        found.append(_run(number, state) if what == "run" else _version(number, state))
    return found


def _run(number: int, state: State) -> Named:
    if number not in state.runs.all:
        raise UnknownName("run", str(number), map(str, state.runs.all))
    return Named(state.runs.all[number])


def _version(number: int, state: State) -> Named:
    version = state.registry.version(number)
    return Named(state.runs.all[version.candidate.run], version)


def _number(words: Sequence[str], what: str) -> int:
    text = words[0].removeprefix("v") if words else ""
    if not text.isdecimal():
        raise UsageError(f"{' '.join(words) or 'nothing'!r} names no {what}", mend="write its number: `3` for version 3, `run 3` for run 3")
    return int(text)


def default_version(state: State) -> int:
    """The version that serves production, else the newest. Raises UsageError when there is none."""
    number = state.live.champion(controller.PRODUCTION) or max(state.registry.versions, default=0)
    if not number:
        mend = "`towpath runs` tells why the runs made none" if state.runs.all else "`towpath run` makes the first"
        raise UsageError("there is no version yet", mend=mend)
    return number


def metric_of(project: Project) -> str:
    """The metric that stands for a version of the project in a table; empty where it trains no model."""
    return run_pages.main_metric(project.model.task, project.gates) if project.trained else ""


def pipeline_of(run: Run, project: Project) -> tuple[Node, ...]:
    """The pipeline of a run; of one whose ledger did not tell yet what steps take, what the causes of its steps say."""
    takes = run.planned or {one.step: _inputs(holdings.store(project), one.fingerprint) for one in run.steps}
    return nodes(run, takes, project.trained)


def _inputs(store: Store, fingerprint: Digest) -> tuple[str, ...]:
    return tuple(msgspec.json.decode(store.get(fingerprint), type=_Causes).inputs) if store.has(fingerprint) else ()
