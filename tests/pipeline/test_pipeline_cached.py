"""A law of the cache, on projects that are made up: what is partly taken from it is what the same code makes without it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.pipeline.mutated import write
from tests.pipeline.test_pipeline_laws import KINDS, Definition, edited, files, projects

from towpath.digest import Digest
from towpath.executors.inline import InlineExecutor
from towpath.pipeline.code.reach import Project
from towpath.pipeline.codecs import keep
from towpath.pipeline.engine import Setting, make
from towpath.pipeline.errors import StepFailed
from towpath.pipeline.graph import Step
from towpath.pipeline.reuse import Reuse
from towpath.store import Store
from towpath.store.memory import MemoryStore

STEPS = {"first": ["flights"], "second": ["first"], "third": ["flights"], "last": ["second", "third"]}
FLIGHTS = pl.DataFrame({"km": [3, 5, 8]})
Uses = Sequence[Sequence[int]]  # of each step, the definitions that it takes


def tree(project: Sequence[Definition], uses: Uses) -> dict[str, str]:
    """The project's modules, and a pipeline of four steps; each draws, so that a seed that is not sown shows."""
    lines = ["import random", *(f"import m{module}" for module in {one.module for one in project})]
    for (name, takes), used in zip(STEPS.items(), uses, strict=True):
        taken = [KINDS[project[at].kind][1].format(d=f"m{project[at].module}.d{at}") for at in used]
        lines += [
            f"def {name}({', '.join(takes)}):",
            f"    return [{', '.join([*map('str({})'.format, takes), *taken, 'random.random()'])}]",
        ]
    return {**files(project, []), "pipeline.py": "\n".join(lines) + "\n"}


def contents(texts: dict[str, str], store: Store, *, afresh: bool = False) -> dict[str, Digest] | None:
    """What each step makes, by its content; None where one raises."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "tree")
        root.mkdir()
        write(root, texts)
        reuse = Reuse(afresh=afresh)
        setting = Setting(code=Project(root, "pipeline.py"), pipeline="pipeline.py", store=store, seed=len, logs=Path(folder), reuse=reuse)
        steps = [Step.of(name, takes) for name, takes in STEPS.items()]
        executor = InlineExecutor(store, Path(folder, "lent"))
        try:
            done = make(steps, {"flights": keep(FLIGHTS, store, step="flights")}, setting, executor)
        except StepFailed:
            return None
        finally:
            executor.close()
        return {one.step: one.value.content for one in done}


@st.composite
def before_and_after(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, str]]:
    """A project, and the same with a definition edited or with a step that takes others."""
    project = draw(projects())
    usable = [place for place, one in enumerate(project) if one.kind not in ("entry", "update")]
    assume(usable)
    some = st.lists(st.sampled_from(usable), max_size=2, unique=True)
    uses = [draw(some) for _ in STEPS]
    at = draw(st.integers(0, len(uses) - 1))
    other = draw(st.one_of(st.just((project, [*uses[:at], draw(some), *uses[at + 1 :]])), edited(project).map(lambda one: (one, uses))))
    return tree(project, uses), tree(*other)


@settings(max_examples=40, deadline=None)
@given(before_and_after())
def test_partly_cached_is_what_it_is_without_the_cache(pair: tuple[dict[str, str], dict[str, str]]) -> None:
    before, after = pair
    store = MemoryStore()
    assume(contents(before, store) is not None)
    partly = contents(after, store)
    assert partly == contents(after, MemoryStore())
    assert partly == contents(after, store, afresh=True)
