"""The steps of a run, through the cache. Nothing that is slow to import is needed to find that none need be executed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from types import MappingProxyType

from towpath import events as ev
from towpath import holdings
from towpath.pipeline.code.reach import Project as Code
from towpath.pipeline.engine import Executed
from towpath.pipeline.errors import StepFailed
from towpath.pipeline.graph import Step
from towpath.pipeline.values import Value
from towpath.run.bench import Bench, Ended
from towpath.run.sharing import Share, with_team
from towpath.run.workshop import Keeping, Workshop

FEW = 8  # reused steps are named
_NOTHING: Mapping[str, Value] = MappingProxyType({})


@contextmanager
def workshop(bench: Bench, code: Code) -> Iterator[Workshop]:
    """Where this run's steps are made; what was made is told in the ledger when it is durable. Raises Ended where others claimed else."""

    def note(steps: Sequence[Step], done: Sequence[Executed], failed: StepFailed | None) -> None:
        _tell_reused(bench, "reused", [one.step for one in done if one.reused and not one.origin])
        _tell_reused(bench, "executed by others", [one.step for one in done if one.reused and one.origin])
        bench.told(*_events(bench.number, steps, done, failed))  # in one append: each costs a write that lasts
        wrong = [one for one in done if one.refused]
        if wrong and not failed:
            raise Ended(ev.Outcome.FAILED, "; ".join(map(_wrong, wrong)))

    project, logs = bench.project, bench.project.home / "logs" / f"run-{bench.number}"
    with with_team(bench) as (reuse, share):
        tell = partial(_tell, bench, share)
        keeping = Keeping(holdings.near(project), logs, reuse)
        with closing(Workshop(project, code, bench.environ, keeping, note=note, tell=tell, hands=bench.hands)) as shop:
            yield shop


def _tell(bench: Bench, share: Share, one: Executed) -> None:
    if not one.reused:
        share(one.fingerprint)
        bench.tell(f"step {one.step}: {one.seconds:.1f} s")


def _tell_reused(bench: Bench, how: str, names: list[str]) -> None:
    if names:
        bench.tell(f"{how}: {', '.join(names) if len(names) <= FEW else f'{len(names):,} steps'}")


def _wrong(one: Executed) -> str:
    return (
        f"step {one.step} makes content {one.value.content} here, and {one.refused} was claimed by {one.origin}; "
        "that is not taken any more: `towpath why step` tells what its fingerprint cannot know"
    )


def _events(run: int, steps: Sequence[Step], done: Sequence[Executed], failed: StepFailed | None) -> Iterator[ev.AnyEvent]:
    yield ev.StepsPlanned(run=run, takes={step.name: tuple(step.inputs.values()) for step in steps})
    for one in done:
        yield ev.StepExecuted(
            run=run,
            step=one.step,
            fingerprint=one.fingerprint,
            reused=one.reused,
            seconds=one.seconds,
            content=one.value.content,
            origin=one.origin,
            refused=one.refused,
        )
    if failed:
        yield ev.StepFailed(run=run, step=failed.step, because=failed.what.splitlines()[0])


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
