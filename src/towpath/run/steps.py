"""The steps of a run, through the cache. Nothing that is slow to import is needed to find that none need be executed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from types import MappingProxyType

from towpath import events as ev
from towpath import holdings
from towpath.pipeline.code.reach import Project as Code
from towpath.pipeline.values import Value
from towpath.run.bench import Bench
from towpath.run.notes import Notes
from towpath.run.sharing import with_team
from towpath.run.workshop import Keeping, Workshop

_NOTHING: Mapping[str, Value] = MappingProxyType({})


@contextmanager
def workshop(bench: Bench, code: Code) -> Iterator[Workshop]:
    """Where this run's steps are made. Raises Ended where others claimed else of one."""
    project, logs = bench.project, bench.project.home / "logs" / f"run-{bench.number}"
    with with_team(bench) as (reuse, share):
        keeping = Keeping(holdings.near(project), logs, reuse)
        with closing(Workshop(project, code, bench.environ, keeping, watch=Notes(bench, share), hands=bench.hands)) as shop:
            yield shop


def through(bench: Bench, given: Mapping[str, Value] = _NOTHING) -> tuple[ev.Outcome, str, None]:
    """The whole of a run that trains no model. Raises ProjectError where a step is to be a function, and there is no pipeline."""
    project = bench.project
    if not project.pipeline and (name := next((name for name, plan in project.steps.items() if not (plan.cmd or plan.use)), None)):
        what = f"there is no pipeline to take the step {name!r} from"
        raise project.fault("steps", name, what=what, mend="name the file: `pipeline: FILE.py`, or give the step a command: `cmd`")
    with workshop(bench, Code(bench.folder, project.pipeline or "")) as shop:
        done = shop.make(shop.plan(list(project.steps), given), given)
    reused = sum(one.reused for one in done)
    return ev.Outcome.EXECUTED, f"{len(done):,} step{'s' if len(done) != 1 else ''}, {reused:,} of them reused", None
