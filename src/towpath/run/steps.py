"""The steps of a run, through the cache. Nothing that is slow to import is needed to find that none need be executed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager

from towpath import events as ev
from towpath.pipeline.engine import Executed
from towpath.pipeline.reach import Project as Code
from towpath.pipeline.values import Value
from towpath.run.bench import Bench
from towpath.run.workshop import Workshop

FEW = 8  # reused steps are named


@contextmanager
def workshop(bench: Bench, code: Code) -> Iterator[Workshop]:
    """Where this run's steps are made; what was made is told in the ledger when it is durable."""

    def note(done: Sequence[Executed]) -> None:
        if reused := [one.step for one in done if one.reused]:
            bench.tell(f"reused: {', '.join(reused) if len(reused) <= FEW else f'{len(reused):,} steps'}")
        bench.told(*(_event(bench.number, one) for one in done))

    logs = bench.project.home / "logs" / f"run-{bench.number}"
    store, environ = bench.records.store, bench.environ
    with closing(Workshop(bench.project, code, store, environ, logs=logs, note=note, tell=bench.tell)) as shop:
        yield shop


def _event(run: int, one: Executed) -> ev.StepExecuted:
    return ev.StepExecuted(
        run=run, step=one.step, fingerprint=one.fingerprint, reused=one.reused, seconds=one.seconds, content=one.value.content
    )


def only(bench: Bench, given: Mapping[str, Value]) -> tuple[ev.Outcome, str, None]:
    """The whole of a run that trains no model. Raises ProjectError where there is no pipeline."""
    project = bench.project
    if not project.pipeline:
        raise project.fault("steps", what="there is no pipeline to take the steps from", mend="name the file: `pipeline: FILE.py`")
    with workshop(bench, Code(bench.folder, project.pipeline)) as shop:
        done = shop.make(shop.plan(list(project.steps), given), given)
    reused = sum(one.reused for one in done)
    return ev.Outcome.EXECUTED, f"{len(done):,} step{'s' if len(done) != 1 else ''}, {reused:,} of them reused", None
