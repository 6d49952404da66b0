"""What two versions differ in, and which layer did what to the metrics: candidates with some layers of each, made through the cache."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from towpath import candidate
from towpath.candidate import Sides
from towpath.data import sides as data_sides
from towpath.data.diff import diff
from towpath.data.difference import Difference
from towpath.errors import TowpathError
from towpath.pipeline.code.reach import Project as Code
from towpath.pipeline.reasons import differences
from towpath.pipeline.reuse import Reuse
from towpath.pipeline.runs import Run
from towpath.pipeline.signatures import public
from towpath.pipeline.worktree import unpack
from towpath.project import Project
from towpath.project_fields import plain
from towpath.project_file import load as load_project
from towpath.proof.environment import known
from towpath.proof.ingredients import Ingredients
from towpath.proof.made import Bench, Made, Place, bench, made, made_sides
from towpath.report.attribution import Apart, Attribution, Coalition, coalitions, shares

_MAKES = ("use", "cmd", "in", "out", "parameters", "params", "each")  # keys of a step that change what it makes
MOST_LEFT_OUT = 0.5  # of the test rows


@dataclass(frozen=True)
class Side:
    """One of two versions: its number, the run that made it, and what from."""

    number: int
    run: Run
    ingredients: Ingredients


class _Declared(NamedTuple):
    """A project as a commit declares it, and its code as text by definition."""

    project: Project
    code: dict[str, str]

    @property
    def shape(self) -> dict[str, Any]:
        """What of the declarations takes part in a model, beside its parameters and the seed; by key."""
        model = {name: value for name, value in plain(self.project.model).items() if name != "parameters"}
        steps = {name: {key: value for key, value in plain(one).items() if key in _MAKES} for name, one in self.project.steps.items()}
        declared = {"model": model, "split": plain(self.project.split), "pipeline": self.project.pipeline, "steps": steps}
        return {"towpath.yaml": dict(_flat(declared))}


def apart(a: Side, b: Side, place: Place, erased: Mapping[str, str]) -> Apart:
    """What differs, layer by layer. Raises as ``worktree.unpack`` does."""
    was, now = _declared(a, place), _declared(b, place)
    return Apart(
        a=a.number,
        b=b.number,
        data=tuple(_data(a, b, now.project, place, erased)),
        rows=tuple(_rows(a, b, now.project)),
        code=(*differences({"code": was.code}, {"code": now.code}), *differences(was.shape, now.shape)),
        parameters=tuple(differences({"parameters": a.run.parameters}, {"parameters": b.run.parameters})),
        seed=tuple(differences({"seed": was.project.seed}, {"seed": now.project.seed})),
        distributions=tuple(differences(*({"distributions": one} for one in _installed(a, b, place)))),
    )


def _installed(a: Side, b: Side, place: Place) -> list[dict[str, str]]:
    """What was installed; of older runs, of which only some of it is known, what is known of both."""
    both = [known(side.run, place.store) for side in (a, b)]
    if all(side.run.distributions for side in (a, b)):
        return both
    return [{name: version for name, version in one.items() if name in both[0] and name in both[1]} for one in both]


def _declared(side: Side, place: Place) -> _Declared:
    with tempfile.TemporaryDirectory(prefix="towpath-why-") as folder:
        project = load_project(unpack(place.root, side.ingredients.tree, Path(folder)), place.environ)
        files = dict(_files(project, Path(folder)))
        if not project.pipeline:
            return _Declared(project, files)
        code, model = Code(Path(folder), project.pipeline), project.model
        names = {*side.run.planned, *(one.step for one in side.run.steps), model.train, model.features, model.rows} & {*public(code)}
        reached = {key: text for name in sorted(filter(None, names)) for key, text in code.reach(name).code.items()}
        return _Declared(project, {**reached, **files})


def _files(project: Project, folder: Path) -> Iterator[tuple[str, str]]:
    """The text of files that steps take from the commit."""
    for path in sorted({source for plan in project.steps.values() for source in plan.inputs.values()}):
        if (folder / path).is_file():
            yield path, (folder / path).read_text(encoding="utf-8", errors="replace")


def _flat(value: Any, *path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, one in value.items():
            yield from _flat(one, *path, name)
    else:
        yield ".".join(path), value


def _data(a: Side, b: Side, project: Project, place: Place, erased: Mapping[str, str]) -> Iterator[Difference]:
    for name in dict.fromkeys((*a.run.snapshots, *b.run.snapshots)):
        one, other = (_version(side, name, place, erased) for side in (a, b))
        dataset = project.data.get(name)
        leave = [dataset.time] if dataset and dataset.time else []
        yield diff(name, one, other, key=dataset.key if dataset else (), leave=leave)


def _version(side: Side, dataset: str, place: Place, erased: Mapping[str, str]) -> data_sides.Side:
    title, digest = f"version {side.number}", side.ingredients.snapshots.get(dataset)
    return data_sides.of_snapshot(title, digest, place.store, erased) if digest else data_sides.of_nothing(title, place.store)


def _rows(a: Side, b: Side, project: Project) -> Iterator[str]:
    """Why other rows count, whatever the files are."""
    for name in dict.fromkeys((*a.ingredients.exclusions, *b.ingredients.exclusions)):
        one, other = ({held.number: held for held in side.ingredients.exclusions.get(name, ())} for side in (a, b))
        for number in sorted(one.keys() ^ other.keys()):
            held, side = (one[number], a) if number in one else (other[number], b)
            yield f"{name}: rows where {held.where} were excluded from version {side.number} alone (exclusion {number})"
    due_by = [side.ingredients.labels_by for side in (a, b)]
    if project.model.label.after and due_by[0] != due_by[1]:
        yield f"labels that were due by {due_by[1]:%Y-%m-%d %H:%M} count; by {due_by[0]:%Y-%m-%d %H:%M} for version {a.number}"


class Test(NamedTuple):
    """Test rows of one version's data that neither version's data has for training, and the share that was left out for that."""

    rows: pl.DataFrame
    left_out: float


class Measured(NamedTuple):
    """A candidate's figures: on its own test rows, and on those of A's data and of B's; or why it has none there."""

    own: dict[str, float]
    there: tuple[dict[str, float] | str, dict[str, float] | str]


def attributed(a: Side, b: Side, found: Apart, place: Place) -> tuple[Attribution, ...]:
    """How the difference of each metric is made up of the layers that differ: on the test rows of B's data, then of A's.

    Raises:
        TowpathError: a candidate cannot be made; names its layers.
    """
    measured: dict[Coalition, Measured] = {}
    for tree in coalitions([layer for layer in ("code", "seed") if layer in found.layers]):  # those of one tree share its workers
        mixed = _mixed(a, b, found, tree)
        with tempfile.TemporaryDirectory(prefix="towpath-why-") as folder, bench(mixed, place, Path(folder), Reuse()) as here:
            for rest in coalitions([layer for layer in ("data", "parameters") if layer in found.layers]):
                try:
                    measured[tree | rest] = _measured(a, b, found, tree | rest, here)
                except TowpathError as fault:
                    raise TowpathError(f"{_named(a, b, found, tree | rest)}: {fault.what.splitlines()[0]}", mend=fault.mend) from fault
    return tuple(_attribution(side, which, measured, found) for which, side in ((1, b), (0, a)) if which or "data" in found.layers)


def _attribution(side: Side, which: int, measured: Mapping[Coalition, Measured], found: Apart) -> Attribution:
    there = {chosen: one.there[which] for chosen, one in measured.items()}
    if trouble := next((figures for figures in there.values() if isinstance(figures, str)), ""):
        return Attribution(rows_of=side.number, trouble=trouble)
    figures = {chosen: one for chosen, one in there.items() if not isinstance(one, str)}
    a, b = measured[frozenset()].own, measured[frozenset(found.layers)].own
    return Attribution(rows_of=side.number, shares=shares(figures, a, b, found.layers))


def _measured(a: Side, b: Side, found: Apart, chosen: Coalition, here: Bench) -> Measured:
    mixed = _mixed(a, b, found, chosen)
    one = made(here, mixed)
    if "data" not in found.layers:
        return Measured(one.metrics, (one.metrics, one.metrics))
    both = [made_sides(here, _with_data(mixed, side)) for side in (a, b)]
    there = [_figures(here, one, _unseen(sides.test, both), _named(a, b, found, chosen)) for sides in both]
    return Measured(one.metrics, (there[0], there[1]))


def _figures(here: Bench, one: Made, test: Test, named: str) -> dict[str, float] | str:
    if test.left_out > MOST_LEFT_OUT:
        return f"{test.left_out:.0%} of them are for training in the other version's data, and would flatter it"
    sides = replace(one.sides, test=test.rows)
    try:
        return candidate.judged(here.project, one.trained, sides, {}, here.place.store).metrics.get("candidate", {})
    except (TowpathError, pl.exceptions.PolarsError) as fault:  # a model of the one rows may not take the others
        return f"{named}: {str(fault).splitlines()[0]}"


def _unseen(test: pl.DataFrame, both: Sequence[Sides]) -> Test:
    """The test rows without those that are like one that is for training in either version's data, by the columns that both have."""
    rows = test
    for sides in both:
        for seen in (sides.train, sides.valid):
            if seen is not None:
                shared = [name for name in test.columns if name in seen.columns]
                rows = rows.join(seen.select(shared).unique(), on=shared, how="anti", nulls_equal=True, maintain_order="left")
    return Test(rows, 1 - rows.height / test.height)


def _mixed(a: Side, b: Side, found: Apart, chosen: Coalition) -> Ingredients:
    """Those layers of B that are chosen, the others of A."""
    one, other = a.ingredients, b.ingredients
    mixed = replace(
        one,
        tree=other.tree if "code" in chosen else one.tree,
        parameters=other.parameters if "parameters" in chosen else one.parameters,
        seed=next((change.after if "seed" in chosen else change.before for change in found.seed), None),
    )
    return _with_data(mixed, b) if "data" in chosen else mixed


def _with_data(mixed: Ingredients, side: Side) -> Ingredients:
    of = side.ingredients
    return replace(mixed, snapshots=of.snapshots, exclusions=of.exclusions, labels_by=of.labels_by)


def _named(a: Side, b: Side, found: Apart, chosen: Coalition) -> str:
    of_b, of_a = ([layer for layer in found.layers if (layer in chosen) is one] for one in (True, False))
    parts = [f"{' and '.join(layers)} of version {number}" for layers, number in ((of_a, a.number), (of_b, b.number)) if layers]
    return f"the candidate with {' and '.join(parts)}"
