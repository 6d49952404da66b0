"""One run: from a commit to a version, or to a reason why not. Every step of it is an event."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module

from msgspec.structs import replace

from towpath import events as ev
from towpath.clock import boot_id
from towpath.digest import Digest, canonical_json
from towpath.errors import TowpathError
from towpath.executors.opening import early
from towpath.pipeline import runs
from towpath.pipeline.distributions import everything
from towpath.pipeline.installed import installed
from towpath.pipeline.runs import Here
from towpath.pipeline.worktree import Tree, tree
from towpath.pipeline.worktree import unpack as unpack_tree
from towpath.project import Project
from towpath.project_file import load as load_project
from towpath.project_file import load_any
from towpath.records import Records
from towpath.run import stale, unpacked
from towpath.run.bench import Bench, Ended, Tell
from towpath.run.unchanged import stop_if_nothing_changed
from towpath.state import State
from towpath.triggers import waiting

Result = tuple[ev.Outcome, str, int | None]  # what came of a run, why, and the version


def run(
    records: Records,
    environ: Mapping[str, str],
    *,
    source: Callable[[], Tree] | None = None,
    fired: int | None = None,
    cause: str = "by hand",
    afresh: bool = False,
    verify: float = 0.0,
    dvc: bool = False,
    tell: Tell = lambda text: None,
    show: Tell = lambda text: None,
) -> ev.RunEnded:
    """Run once, for the firing of a trigger or by hand. The caller holds the lock of runs.

    A trigger's run executes the commit that is checked out. A run by hand executes uncommitted changes too: they are
    stored, and the version does not pass beyond staging. For ``afresh`` and ``verify`` see :class:`Bench`.
    With ``dvc``, the stages of its ``dvc.yaml`` are executed, and nothing else. ``source``: the answer of whoever looks at it already.
    """
    found = source() if source else tree(records.project.root)
    if fired is not None:
        found = replace(found, patch=b"")
    patch = records.store.put(found.patch) if found.patch else None
    before = records.state()
    with early(records.project, environ, soon=_is_new(before, found.commit, patch)) as hands:
        distributions = _distributions(records, before)
        if patch:  # what else a run of steps needs can be made again: it waits for no remote
            records.store.sync()
        state, started = _start(records, found, patch, distributions, fired, cause)
        for words in stale.warnings(records.project.root, found, state):
            tell(words)
        bench = partial(Bench, records, started.run, environ=environ, tell=tell, show=show, afresh=afresh, verify=verify, hands=hands)
        try:
            outcome, because, version = _outcome(records.project, found, bench, environ, dvc=dvc)
        except (Exception, KeyboardInterrupt) as fault:  # what nobody foresaw ends a run too
            because = "interrupted" if isinstance(fault, KeyboardInterrupt) else f"a fault of Towpath: {type(fault).__name__}: {fault}"
            records.tell(ev.RunEnded(run=started.run, outcome=ev.Outcome.FAILED, because=because))
            raise
    ended = ev.RunEnded(run=started.run, outcome=outcome, because=because, version=version)
    records.tell(ended)
    return ended


def _is_new(state: State, commit: str, patch: Digest | None) -> bool:
    """Whether no earlier run had this code, so that some of it is likely to be executed."""
    return not any((one.commit, one.patch) == (commit, patch) for one in state.runs.all.values())


def _outcome(project: Project, source: Tree, bench: Callable[..., Bench], environ: Mapping[str, str], *, dvc: bool) -> Result:
    """What becomes of a tree, in a folder that is gone afterwards."""
    try:
        with unpacked.folder() as folder:
            code = unpack_tree(project.root, source, folder)
            committed = (load_any if dvc else load_project)(code, environ).placed(project.root, project.home)
            made = bench(project=committed, folder=folder)
            return _by("towpath.run.dvc", made) if dvc else _through(made)
    except Ended as end:
        return end.outcome, end.because, None
    except TowpathError as fault:
        return ev.Outcome.FAILED, f"{fault.what} (mend: {fault.mend})", None


def _distributions(records: Records, state: State) -> Digest | None:
    """The stored list of what is installed, with which a version is reproduced; None where no version will come of it."""
    if records.project.trained is None:
        return None
    here = installed()
    known = (run.distributions for run in reversed(state.runs.all.values()) if run.installed == here)
    return next(filter(None, known), None) or records.store.put(canonical_json(everything()))


def _start(
    records: Records, source: Tree, patch: Digest | None, distributions: Digest | None, fired: int | None, cause: str
) -> tuple[State, ev.RunStarted]:
    here = Here(host=platform.node(), boot=boot_id(), lock_is_free=True)  # the caller holds it: nobody else does

    def choose(state: State) -> list[ev.AnyEvent]:
        firing = next((one for one in waiting(state.firings, state.runs) if one.run == fired), None)
        if fired is not None and firing is None:
            raise TowpathError(f"run {fired} was not fired, or has begun", mend="nothing is to be done: the loop starts runs by itself")
        lost = [runs.given_up(run, here, records.clock.now()) for run in state.runs.all.values() if run.is_going_on]
        free = max([state.runs.next_number, *(1 + (one.run or 0) for one in state.firings.decisions)])
        started = ev.RunStarted(
            run=firing.run if firing else free,
            trigger=firing.trigger if firing else "command",
            cause=firing.cause if firing else cause,
            commit=source.commit,
            patch=patch,
            host=here.host,
            boot=here.boot,
            pid=os.getpid(),
            installed=installed(),
            distributions=distributions,
        )
        return [*lost, started]

    state, events = records.decide(choose)
    return state, next(event for event in events if isinstance(event, ev.RunStarted))


def _through(bench: Bench) -> Result:
    """What needs a table or a model loads its libraries when it is come to."""
    if bench.project.trained is None and not bench.project.data:
        return _by("towpath.run.steps", bench)
    if not (bench.afresh or bench.verify):
        stop_if_nothing_changed(bench)
    return _by("towpath.run.model", bench)


def _by(module: str, bench: Bench) -> Result:
    """The rest of the run, by a module that is loaded only now: workers begin meanwhile."""
    through: Result = import_module(module).through(bench)
    return through
