"""Laws of fingerprints, on projects that are made up: what can change a result shows, and what cannot does not."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.pipeline.mutated import result, write

from towpath.pipeline.code.reach import Project
from towpath.pipeline.fingerprint import fingerprint

QUICK = settings(max_examples=60, deadline=None)

KINDS = {  # how it is written, with {n} its number, {d} its name and {r} what it takes from others; how it is used
    "constant": ("{d} = {n} + {r}", "{d}"),
    "annotated": ("{d}: int = {n} + {r}", "{d}"),
    "function": ("def {d}(x=1):{doc}\n    y = x * {n}\n    return y + {r}", "{d}(2)"),
    "default": ("def {d}(x={n} + {r}, *, y=1):{doc}\n    return x + y", "{d}()"),
    "lambda": ("{d} = lambda x: x + {n} + {r}", "{d}(1)"),
    "partial": ("{d} = partial(lambda a, b: a * b + {r}, {n})", "{d}(3)"),
    "class": ("class {d}:{doc}\n    base = {n}\n\n    def run(self):\n        return self.base + {r}", "{d}().run()"),
    "attribute": ("class {d}:{doc}\n    base = {n} + {r}\n    def run(self):\n        return self.base", "{d}.base"),
    "subclass": ("class {d}(Exception):{doc}\n    @property\n    def run(self):\n        return {n} + {r}", "{d}().run"),
    "dataclass": ("@dataclass\nclass {d}:{doc}\n    x: int = {n} + {r}", "{d}().x"),
    "decorator": ("def {d}(f):{doc}\n    def inner(*a):\n        return f(*a) + {n} + {r}\n    return inner", "{d}(abs)(2)"),
    "decorated": ("@lru_cache\ndef {d}(x):{doc}\n    return x + {n} + {r}", "{d}(1)"),
    "closure": ("def {d}_of(by):\n    def add(x):\n        return x + by + {r}\n    return add\n{d} = {d}_of({n})", "{d}(1)"),
    "comprehension": ("{d} = [x + {r} for x in range(3) if x != {n}]", "sum({d})"),
    "conditional": ("if {n} > 0:\n    {d} = {n} + {r}\nelse:\n    {d} = 0", "{d}"),
    "twice": ("{d} = {r}\n{d} += {n}", "{d}"),
    "table": ("{d} = {{'a': {n}}}\n{d}['b'] = {r}", "sum({d}.values())"),
    "entry": ("{t}['{d}'] = {n} + {r}", "0"),
    "update": ("{t}.update({d}={n} + {r})", "0"),
}
HEAD = "from dataclasses import dataclass\nfrom functools import lru_cache, partial\n"


class Definition(NamedTuple):
    """One definition. ``takes`` are the places of earlier ones; ``table`` is the one that an entry is put into."""

    kind: str
    number: int
    module: int
    takes: tuple[int, ...]
    by: str  # the manner of importing
    table: int | None = None


@st.composite
def projects(draw: st.DrawFn) -> list[Definition]:
    found: list[Definition] = []
    module = 0
    for place in range(draw(st.integers(3, 9))):
        module = min(module + draw(st.sampled_from((0, 0, 1))), 3)
        tables = [at for at, one in enumerate(found) if one.kind == "table"]
        kind = draw(st.sampled_from([one for one in KINDS if tables or one not in ("entry", "update")]))
        open_to_all = [at for at in range(place) if found[at].kind not in ("entry", "update")]
        takes = tuple(sorted(draw(st.sets(st.sampled_from(open_to_all), max_size=2)))) if open_to_all else ()
        table = draw(st.sampled_from(tables)) if kind in ("entry", "update") else None
        by = draw(st.sampled_from(("from", "as", "module", "module as", "star")))
        found.append(Definition(kind, draw(st.integers(1, 9)), module, takes, by, table))
    return found


def files(project: Sequence[Definition], step: Sequence[int], *, noisy: bool = False) -> dict[str, str]:
    """The project's modules; all are imported by the pipeline, whose step takes some definitions."""
    parts: dict[int, list[str]] = {}
    for place, one in enumerate(project):
        parts.setdefault(one.module, []).append(written(project, place, noisy=noisy))
    texts = {f"m{module}.py": HEAD + "\n".join(texts) + "\n" for module, texts in parts.items()}
    imports = "".join(f"import m{module}\n" for module in parts)
    uses = [KINDS[project[place].kind][1].format(d=f"m{project[place].module}.d{place}") for place in step]
    note = '    """Noise."""  # and more\n' if noisy else ""
    return {**texts, "pipeline.py": f"{imports}\ndef step(value):\n{note}    return [value, {', '.join(uses)}]\n"}


def written(project: Sequence[Definition], place: int, *, noisy: bool) -> str:
    one = project[place]
    lines, terms = [], []
    for at in (*one.takes, *(() if one.table is None else (one.table,))):
        line, name = _imported(project[at].module, f"d{at}", one)
        lines += [line] if line else []
        terms.append((at, name))
    uses = [KINDS[project[at].kind][1].format(d=name) for at, name in terms if at in one.takes]
    table = next((name for at, name in terms if at == one.table), "")
    doc = '\n    """Noise."""' if noisy else ""
    number = f"({one.number})" if noisy else str(one.number)
    text = KINDS[one.kind][0].format(d=f"d{place}", n=number, r=" + ".join(["1", *uses]), t=table, doc=doc)
    head = "# noise\n\n\n" if noisy else ""
    return "\n".join([*lines, head + text])


def _imported(module: int, name: str, user: Definition) -> tuple[str, str]:
    """The import that a definition needs for a name of another module, and what the name is called there."""
    if module == user.module:
        return "", name
    match user.by:
        case "as":
            return f"from m{module} import {name} as {name}_", f"{name}_"
        case "module":
            return f"import m{module}", f"m{module}.{name}"
        case "module as":
            return f"import m{module} as other{module}", f"other{module}.{name}"
        case "star":
            return f"from m{module} import *", name
        case _:
            return f"from m{module} import {name}", name


def reached_by(project: Sequence[Definition], step: Sequence[int]) -> set[int]:
    """The definitions that a step uses, those that put entries into their tables included."""
    found: set[int] = set()
    queue = list(step)
    while queue:
        place = queue.pop()
        if place not in found:
            found.add(place)
            table = project[place].table
            queue += [
                *project[place].takes,
                *([] if table is None else [table]),
                *(at for at, one in enumerate(project) if one.table == place),
            ]
    return found


def may_be_seen_by(project: Sequence[Definition], step: Sequence[int]) -> set[int]:
    """These, and whatever on import uses objects of theirs, which it may change; and updates, which count for all in their module."""
    found: set[int] = set()
    more = reached_by(project, [*step, *(at for at, one in enumerate(project) if one.kind == "update")])
    while more - found:
        found |= more
        objects = {at for at in found if project[at].kind in ("table", "closure")}
        more = reached_by(project, [at for at in range(len(project)) if reached_by(project, [at]) & objects])
    return found


def fingerprint_of(texts: dict[str, str]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), texts)
        return fingerprint(Project(Path(folder), "pipeline.py").reach("step"), parameters={}, inputs={}, seed=0)


def result_of(texts: dict[str, str]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), texts)
        return result(Path(folder), "step", 1).what


@st.composite
def asked(draw: st.DrawFn) -> tuple[list[Definition], list[int]]:
    """A project, and the definitions that its step takes."""
    project = draw(projects())
    usable = [place for place, one in enumerate(project) if one.kind not in ("entry", "update")]
    assume(usable)
    return project, sorted(draw(st.sets(st.sampled_from(usable), min_size=1, max_size=3)))


@st.composite
def edited(draw: st.DrawFn, project: list[Definition]) -> list[Definition]:
    """The project with one definition changed: its number, what it takes, what it is, or how it imports."""
    place = draw(st.integers(0, len(project) - 1))
    one = project[place]
    earlier = [at for at in range(place) if project[at].kind not in ("entry", "update")]
    changes = [
        one._replace(number=one.number + 1),
        one._replace(takes=one.takes[1:]),
        one._replace(by=draw(st.sampled_from(("as", "module")))),
    ]
    if earlier:
        changes.append(one._replace(takes=(draw(st.sampled_from(earlier)),)))
    if one.kind not in ("entry", "update", "table"):
        changes.append(one._replace(kind=draw(st.sampled_from([kind for kind in KINDS if kind not in ("entry", "update")]))))
    return [*project[:place], draw(st.sampled_from(changes)), *project[place + 1 :]]


@QUICK
@given(asked(), st.data())
def test_an_edit_that_changes_a_result_changes_the_fingerprint(question: tuple[list[Definition], list[int]], data: st.DataObject) -> None:
    project, step = question
    before, after = files(project, step), files(data.draw(edited(project)), step)
    if result_of(before) != result_of(after):
        assert fingerprint_of(before) != fingerprint_of(after)


@QUICK
@given(asked(), st.data())
def test_another_number_in_what_is_reached_always_shows(question: tuple[list[Definition], list[int]], data: st.DataObject) -> None:
    project, step = question
    place = data.draw(st.sampled_from(sorted(reached_by(project, step))))
    other = [one._replace(number=one.number + 1) if at == place else one for at, one in enumerate(project)]
    assert fingerprint_of(files(project, step)) != fingerprint_of(files(other, step))


@QUICK
@given(asked())
def test_comments_docstrings_and_layout_never_show(question: tuple[list[Definition], list[int]]) -> None:
    assert fingerprint_of(files(*question)) == fingerprint_of(files(*question, noisy=True))


@QUICK
@given(asked(), st.data())
def test_what_is_not_reached_does_not_show(question: tuple[list[Definition], list[int]], data: st.DataObject) -> None:
    project, step = question
    seen = may_be_seen_by(project, step)
    apart = [at for at in range(len(project)) if at not in seen]
    assume(apart)
    place = data.draw(st.sampled_from(apart))
    other = [one._replace(number=one.number + 1) if at == place else one for at, one in enumerate(project)]
    assert fingerprint_of(files(project, step)) == fingerprint_of(files(other, step))


@QUICK
@given(asked())
def test_a_slice_gives_what_the_project_gives(question: tuple[list[Definition], list[int]]) -> None:
    texts = files(*question)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), texts)
        part = Project(Path(folder), "pipeline.py").slice("step")
    assert result_of({name: text.decode() for name, text in part.items()}) == result_of(texts)
