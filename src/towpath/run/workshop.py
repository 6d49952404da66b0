"""Where the steps of one run are made: through the cache, by workers that begin when there is work for them and go on to the next step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from towpath.executors.local import LocalExecutor
from towpath.pipeline import engine
from towpath.pipeline.declared import declared
from towpath.pipeline.engine import Executed, Setting
from towpath.pipeline.executor import Resources
from towpath.pipeline.graph import Step, plan
from towpath.pipeline.reach import Project as Code
from towpath.pipeline.seeds import seed_of
from towpath.pipeline.signatures import public
from towpath.pipeline.values import Value
from towpath.project import Project
from towpath.quantities import size_in_words
from towpath.store import Store

_GPUS = "; GPUs are those that CUDA_VISIBLE_DEVICES names"

Note = Callable[[Sequence[Executed]], None]


class Workshop:
    """Makes steps of ``project``, whose code lies in the tree of ``code``.

    Args:
        logs: the folder for what steps print.
        note: is given what was made, once it is durable.
        tell: is given a sentence for people, while it goes on.
    """

    def __init__(
        self, project: Project, code: Code, store: Store, environ: Mapping[str, str], *, logs: Path, note: Note, tell: Callable[[str], None]
    ) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._project, self._code, self._note = project, code, note
        self._setting = Setting(
            code=code,
            pipeline=str(project.pipeline),
            store=store,
            seed=lambda step: seed_of(project.name, step, project.seed),
            logs=logs,
            plans=project.steps,
            tell=lambda one: None if one.reused else tell(f"step {one.step}: {one.seconds:.1f} s"),
        )
        self._executor = LocalExecutor(project, environ)

    def plan(self, targets: Sequence[str], datasets: Mapping[str, Value]) -> list[Step]:
        """The steps that make ``targets`` of ``datasets``. Raises as ``graph.plan`` does, and where one asks for too much."""
        steps = plan(targets, declared(self._project, self._code), datasets, public(self._code))
        _check_needs(self._project, steps, self._executor.has)
        return steps

    def make(self, steps: Sequence[Step], given: Mapping[str, Value]) -> list[Executed]:
        """Make steps, in the order in which they ended. Raises as ``engine.make`` does."""
        done = engine.make(steps, given, self._setting, self._executor)
        self._note(done)
        return done

    def close(self) -> None:
        """End the workers."""
        self._executor.close()


def _check_needs(project: Project, steps: Sequence[Step], has: Resources) -> None:
    """Raise ProjectError where a step asks for more than there is at all."""
    for name, wanted in ((step.name, project.steps[step.name]) for step in steps if step.name in project.steps):
        for key, asked, there in (
            ("cpus", wanted.cpus, has.cpus),
            ("memory", wanted.memory or 0, has.memory),
            ("gpus", wanted.gpus, has.gpus),
        ):
            if asked > there:
                asked_for, all_there_is = (size_in_words(one) if key == "memory" else f"{one:g}" for one in (asked, there))
                raise project.fault(
                    "steps",
                    name,
                    key,
                    what=f"step {name!r} asks for {key}: {asked_for}, and all there is: {all_there_is}",
                    mend="ask for less, or run where there is more" + _GPUS * (key == "gpus"),
                )
