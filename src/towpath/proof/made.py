"""Making a version again: a library call, without a ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import polars as pl
from msgspec.structs import replace

from towpath import candidate, labels
from towpath.candidate import Sides, Source
from towpath.data.exclude import taken_left
from towpath.data.manifest import manifest
from towpath.data.snapshot import Taken, known_facts, load
from towpath.digest import Digest
from towpath.errors import UnknownName
from towpath.formats.build import Trained
from towpath.pipeline.code.reach import Project as Code
from towpath.pipeline.fan_out import whole_of
from towpath.pipeline.graph import Step, defaults_of
from towpath.pipeline.reuse import Reuse
from towpath.pipeline.signatures import signature
from towpath.pipeline.values import Value
from towpath.pipeline.watching import Executed, Watch
from towpath.pipeline.worktree import unpack
from towpath.project import Project
from towpath.project_fields import Scalar
from towpath.project_file import load as load_project
from towpath.proof.ingredients import Ingredients
from towpath.run import rows
from towpath.run.workshop import Keeping, Workshop
from towpath.search.portfolio import MODEL
from towpath.store import Store

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where things are made again: for the project that lies in ``root``, in ``store``."""

    root: Path
    home: Path
    store: Store
    environ: Mapping[str, str]
    logs: Path
    tell: Tell = lambda text: None


class Made(NamedTuple):
    """A model made again: what was trained, on which rows, the digest of its package, and its figures on the test rows."""

    trained: Trained
    sides: Sides
    package: Digest
    metrics: dict[str, float]


@dataclass
class Shop:
    """A workshop that notes what it is asked: each step with what it was given, and what it made."""

    workshop: Workshop
    asked: dict[str, tuple[Step, dict[str, Value]]] = field(default_factory=dict)
    done: dict[str, Executed] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        """Where the values lie."""
        return self.workshop.store

    def plan(self, targets: Sequence[str], datasets: Mapping[str, Value]) -> list[Step]:
        """The steps that make ``targets``. Raises as ``Workshop.plan`` does."""
        return self.workshop.plan(targets, datasets)

    def make(self, steps: Sequence[Step], given: Mapping[str, Value]) -> list[Executed]:
        """Make steps, and note them. Raises as ``Workshop.make`` does."""
        try:
            return self.workshop.make(steps, given)
        finally:
            self.done |= {one.step: one for one in self.workshop.done}
            values = {**given, **{name: one.value for name, one in self.done.items()}}
            self.asked |= {step.name: (step, _those(values, step.inputs.values())) for step in steps}


def _those(values: Mapping[str, Value], names: Iterable[str]) -> dict[str, Value]:
    """Of some names; files of the project are looked up anew."""
    return {name: values[name] for name in names if name in values}


@dataclass(frozen=True)
class Bench:
    """A tree of code in a folder of its own, the project as it is declared there, and the shop where its steps are made."""

    project: Project
    source: Source
    shop: Shop | None
    place: Place

    def asked(self, step: str) -> tuple[Step, dict[str, Value]]:
        """A step that was made, or that a part that was made belongs to, and what it was given."""
        asked = self.shop.asked if self.shop else {}
        found = asked.get(step) or asked.get(whole_of(step))
        if found is None:
            raise UnknownName("step", step, asked)
        return found


@contextmanager
def bench(ingredients: Ingredients, place: Place, folder: Path, reuse: Reuse) -> Iterator[Bench]:
    """Unpack the code into ``folder``, and have it ready. Raises as ``worktree.unpack`` and ``functions.load`` do."""
    declared = load_project(unpack(place.root, ingredients.tree, folder), place.environ).placed(place.root, place.home)
    project = declared if ingredients.seed is None else replace(declared, seed=ingredients.seed)
    source = Source.of(project, folder)
    with ExitStack() as stack:
        shop = stack.enter_context(shop_of(project, source, place, reuse)) if source.code or project.steps else None
        yield Bench(project, source, shop, place)


class _Told(Watch):
    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell

    def ended(self, one: Executed) -> None:
        super().ended(one)
        if not one.reused:
            self._tell(f"step {one.step}: {one.seconds:.1f} s")


@contextmanager
def shop_of(project: Project, source: Source, place: Place, reuse: Reuse) -> Iterator[Shop]:
    """Where the steps of a project's code are made."""

    code = source.code or Code(source.root, "")
    keeping = Keeping(place.store, place.logs, reuse)
    workshop = Workshop(project, code, place.environ, keeping, watch=_Told(place.tell))
    with closing(workshop):
        yield Shop(workshop)


def made(here: Bench, ingredients: Ingredients) -> Made:
    """The rows, the training, and the package of a version, from what it was made from.

    Raises:
        StepFailed: a step made nothing.
        NotConvertible: the model has no portable form.
    """
    sides = made_sides(here, ingredients)
    trained = candidate.train(here.project, here.source, sides, chosen(here, ingredients), shop=here.shop)
    judged = candidate.judged(here.project, trained, sides, {}, here.place.store)
    return Made(trained, sides, judged.digest, judged.metrics.get("candidate", {}))


def made_sides(here: Bench, ingredients: Ingredients) -> Sides:
    """The rows with labels, and on which side each lies. Raises as ``made`` does."""
    return candidate.sides(here.project, labels.labelled(_rows(here, ingredients), here.project, ingredients.labels_by))


def _rows(here: Bench, ingredients: Ingredients) -> pl.DataFrame:
    project, store = here.project, here.place.store
    taken = {name: _taken(store, digest, ingredients, name) for name, digest in ingredients.snapshots.items()}
    if here.shop is None:
        return rows.of_dataset_itself(project, taken).frame
    values = rows.given(project, taken, lambda name: ingredients.exclusions.get(name, ()), store)
    return rows.made(project, taken, values, here.shop).frame


def _taken(store: Store, digest: Digest, ingredients: Ingredients, name: str) -> Taken:
    snapshot = manifest(store, digest)
    frame = load(store, digest) if snapshot.kind == "table" else pl.DataFrame()
    taken = Taken(snapshot=snapshot, digest=digest, frame=frame, facts=known_facts(store, digest))
    return taken_left(taken, ingredients.exclusions.get(name, ()))[0]


def chosen(here: Bench, ingredients: Ingredients) -> dict[str, Scalar]:
    """Those of the parameters that neither the code's defaults nor the project's declarations give: what a search had chosen.

    What the training function does not take is left out: it is another's, where the parameters of one version meet the code of another.
    """
    model = here.project.model
    if not model.train or model.is_auto:
        return dict(ingredients.parameters) if MODEL in ingredients.parameters else {}
    takes, function = signature(here.source.code, model.train) if here.source.code else None, here.source.function(model.train)
    known = {**defaults_of(function), **model.parameters}
    return {
        name: value
        for name, value in ingredients.parameters.items()
        if (takes is None or name in takes.parameters) and (name not in known or known[name] != value)
    }
