"""Where the steps of one run are made: through the cache, by workers that begin when there is work for them and go on to the next step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from towpath.executors.local import LocalExecutor
from towpath.executors.opening import opened
from towpath.pipeline import checkpoints, engine
from towpath.pipeline.bringing import bring
from towpath.pipeline.code.reach import Project as Code
from towpath.pipeline.commands.command import with_versions
from towpath.pipeline.declared import declared
from towpath.pipeline.engine import Setting
from towpath.pipeline.explained import explained
from towpath.pipeline.graph import Step, plan
from towpath.pipeline.reuse import Reuse
from towpath.pipeline.seeds import seed_of
from towpath.pipeline.signatures import public
from towpath.pipeline.sources import Given
from towpath.pipeline.values import Value
from towpath.pipeline.watching import Executed, Watch
from towpath.project import Project
from towpath.run import needs
from towpath.store import Store


@dataclass(frozen=True)
class Keeping:
    """What steps make lies in ``store``, what they print in the folder ``logs``; ``reuse`` says what need not be made."""

    store: Store
    logs: Path
    reuse: Reuse


class Workshop:
    """Makes steps of ``project``, whose code lies in the tree of ``code``.

    Args:
        hands: who executes where the project names nobody else; begun here when left out.
        watch: is told how steps go on, but for those that are made aside.
    """

    def __init__(
        self,
        project: Project,
        code: Code,
        environ: Mapping[str, str],
        keeping: Keeping,
        *,
        watch: Watch,
        hands: LocalExecutor | None = None,
    ) -> None:
        store, logs = keeping.store, keeping.logs
        self._executor = opened(project, store, environ, hands)
        logs.mkdir(parents=True, exist_ok=True)
        self._project, self._code, self._environ, self._watch = project, code, environ, watch
        self.store = store
        self._images: dict[str, str] = {}
        self._setting = Setting(
            code=code,
            pipeline=project.pipeline or "",
            store=store,
            seed=lambda step: seed_of(project.name, step, project.seed),
            logs=logs,
            checkpoints=checkpoints.folder_of(project.home),
            plans=project.steps,
            reuse=keeping.reuse,
            images=self._images,
            bring=lambda value: bring(value, store),
            watch=watch,
        )

    def plan(self, targets: Sequence[str], datasets: Mapping[str, Value]) -> list[Step]:
        """The steps that make ``targets`` of ``datasets``. Raises as ``graph.plan`` does."""
        with explained(self._code):
            steps = plan(targets, declared(self._project, self._code), self._sources(datasets), public(self._code))
        return with_versions(steps, self._environ)

    def make(self, steps: Sequence[Step], given: Mapping[str, Value]) -> list[Executed]:
        """Make steps, in the order in which they ended.

        Raises as ``engine.make`` does; and ProjectError, before anything is executed, where a step asks for more than there is or an
        image that is not there.
        """
        self._find_images(steps)
        needs.check(self._project, steps, self._executor)
        return engine.make(steps, self._sources(given).of(steps), self._setting, self._executor)

    def aside(self, steps: Sequence[Step], given: Mapping[str, Value]) -> list[Executed]:
        """Make steps of other values than the run's: kept, but nothing is told of them. Raises as ``engine.make`` does."""
        self._find_images(steps)
        quiet = replace(self._setting, watch=Watch(), logs=self._setting.logs / "aside")
        quiet.logs.mkdir(exist_ok=True)
        return engine.make(steps, self._sources(given).of(steps), quiet, self._executor)

    def _find_images(self, steps: Sequence[Step]) -> None:
        """Of the steps that execute in containers; most projects have none, and need not load what finds images."""
        if any(plan.container for plan in self._project.steps.values()):
            self._images |= import_module("towpath.run.images").images(self._project, self._code.root, steps, self._environ)

    def _sources(self, datasets: Mapping[str, Value]) -> Given:
        return Given(self._project, self._code.root, datasets, self._setting.store)

    @property
    def done(self) -> Sequence[Executed]:
        """What was made by the last call of ``make``, also where a step failed."""
        return self._watch.done

    def close(self) -> None:
        """End the workers."""
        self._executor.close()
