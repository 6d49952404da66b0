"""A version made again without the cache, and held against what is recorded of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from towpath import events as ev
from towpath.errors import TowpathError
from towpath.formats.package import unpack
from towpath.formats.parity import parity
from towpath.labels import raw
from towpath.pipeline.errors import StepFailed
from towpath.pipeline.reasons import Change
from towpath.pipeline.reuse import Reuse
from towpath.pipeline.runs import Run
from towpath.pipeline.values import Value
from towpath.proof.distances import NUMBERS, far
from towpath.proof.environment import changed
from towpath.proof.ingredients import Ingredients
from towpath.proof.made import Bench, Made, Place, bench, made
from towpath.proof.suspects import by_causes, suspect
from towpath.registry import Version
from towpath.report.reproduction import Answer, Part, Reproduction, Suspect, figures, overall
from towpath.store import Store
from towpath.store.forgetful import ForgetfulStore

TOLERANCE = 1e-6


def reproduce(
    version: Version, run: Run, ingredients: Ingredients, place: Place, folder: Path, tolerance: float = TOLERANCE
) -> Reproduction:
    """Make a version again in a tree of its own in ``folder``, taking nothing from the cache and keeping nothing in it.

    Raises:
        UsageError: its commit is not in the repository.
    """
    with bench(ingredients, replace(place, store=ForgetfulStore(place.store)), folder, Reuse(afresh=True)) as here:
        again = _again(here, ingredients)
        beside = _Beside(version, run, here, place.store, again, tolerance)
        package, environment = beside.package(), changed(run, place.store)
        steps = tuple(beside.step(one, package) for one in run.steps)
        metrics = figures(version.candidate.metrics.get("candidate", {}), again.made.metrics if again.made else {}, tolerance)
        return Reproduction(
            version=version.number,
            run=run.number,
            commit=run.commit,
            answer=overall((*steps, package, *metrics)),
            tolerance=tolerance,
            steps=steps,
            package=package,
            metrics=metrics,
            environment=tuple(environment),
            suspect=beside.suspect(steps, package, environment),
        )


@dataclass(frozen=True)
class _Again:
    """What came out of making it again: a model, or the fault."""

    made: Made | None
    fault: TowpathError | None = None

    @property
    def because(self) -> str:
        return self.fault.what.splitlines()[0] if self.fault else ""


def _again(here: Bench, ingredients: Ingredients) -> _Again:
    try:
        return _Again(made(here, ingredients))
    except TowpathError as fault:
        return _Again(None, fault)


@dataclass(frozen=True)
class _Beside:
    """A version, and what was made again, side by side. ``store`` has what is remembered of executions."""

    version: Version
    run: Run
    here: Bench
    store: Store
    again: _Again
    tolerance: float

    def package(self) -> Part:
        """The model: its bytes, or else its answers to the test rows."""
        before, again = self.version.digest, self.again.made
        if again is None:
            return Part(name="package", answer=Answer.DIFFERENT, before=before, now=None, because=self.again.because)
        part = Part(name="package", answer=Answer.IDENTICAL, before=before, now=again.package)
        if again.package == before:
            return part
        rows = raw(again.sides.test, self.here.project).drop(self.here.project.model.label.column)
        try:
            one, other = (unpack(self.store, digest) for digest in (before, again.package))
            apart = parity(one.answerer(), other.answerer(), rows).max_difference
        except TowpathError as fault:
            return msgspec.structs.replace(part, answer=Answer.DIFFERENT, because=fault.what)
        answer = Answer.EQUAL if apart <= self.tolerance else Answer.DIFFERENT
        names = [name for name, digest in other.manifest.files.items() if one.manifest.files.get(name) != digest]
        because = f"{', '.join(names) or 'its manifest'} differs; its answers differ by {apart:.2g} at most"
        return msgspec.structs.replace(part, answer=answer, far=apart, because=because)

    def step(self, before: ev.StepExecuted, package: Part) -> Part:
        """One step, by the canonical content of what it makes."""
        now = self.here.shop.done.get(before.step) if self.here.shop else None
        if now is None:
            failed = isinstance(self.again.fault, StepFailed) and self.again.fault.step == before.step
            because = self.again.because if failed else "not reached"
            return Part(name=before.step, answer=Answer.DIFFERENT, before=before.content, now=None, because=because)
        part = Part(name=before.step, answer=Answer.IDENTICAL, before=before.content, now=now.value.content)
        return part if part.now == part.before else self._unlike(part, before, now.value, package)

    def _unlike(self, part: Part, before: ev.StepExecuted, now: Value, package: Part) -> Part:
        if now.codec == "pickle" and before.step == self.here.project.model.train:  # objects have more than one form in bytes
            answer, because = Answer.DIFFERENT if package.answer is Answer.DIFFERENT else Answer.EQUAL, "judged by the package"
            return msgspec.structs.replace(part, answer=answer, because=because)
        kept = self.store.recall(before.fingerprint)
        if kept is None or kept.content != before.content:
            return msgspec.structs.replace(part, answer=Answer.DIFFERENT, because="what it had made is no longer in the store")
        apart = far(Value(kept.codec, kept.output, kept.content), now, self.store)
        if now.codec not in NUMBERS or apart == float("inf"):
            return msgspec.structs.replace(part, answer=Answer.DIFFERENT)
        answer = Answer.EQUAL if apart <= self.tolerance else Answer.DIFFERENT
        return msgspec.structs.replace(part, answer=answer, far=apart, because=f"numbers differ by {apart:.2g} at most")

    def suspect(self, steps: Sequence[Part], package: Part, environment: Sequence[Change]) -> Suspect | None:
        """Of the first step that is not what it was; of the package, where all steps are."""
        before = {one.step: one for one in self.run.steps}
        for part in steps:
            if part.answer is Answer.IDENTICAL:
                continue
            now = self.here.shop.done.get(part.name) if self.here.shop else None
            if now is None:
                return by_causes(list(environment)) if environment else Suspect(layer="unknown", because=part.because)
            recorded = before[part.name]
            return suspect(self.here, part.name, (recorded.fingerprint, recorded.content), (now.fingerprint, now.value.content))
        if package.answer is Answer.IDENTICAL:
            return None
        if environment:
            return by_causes(list(environment))
        return Suspect(layer="unknown", because="every step makes what it made; only the package is another")
