"""Every way in which a definition takes part in a result is followed: an edit that gives another result gives another fingerprint."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.pipeline.mutated import result, write

from towpath.pipeline.code.reach import Project
from towpath.pipeline.fingerprint import fingerprint


class Case(NamedTuple):
    """A project before and after an edit."""

    before: dict[str, str]
    after: dict[str, str]


def cases(file: str) -> dict[str, Case]:
    """The cases of a file beside this one, by name."""
    _, *parts = (Path(__file__).parent / file).read_text().split("\n=== ")
    return dict(map(_case, parts))


def _case(part: str) -> tuple[str, Case]:
    written, _, edit = part.rpartition("\n??? ")
    name, *sources = written.split("\n--- ")
    before = {file: f"{text}\n" for file, _, text in (source.partition("\n") for source in sources)}
    file, old, new = re.fullmatch(r"(\S+): (.*) -> (.*)", edit.strip("\n")).groups()
    old, new = old.replace("\\n", "\n"), new.replace("\\n", "\n")
    assert old in before[file], name
    return name, Case(before, {**before, file: before[file].replace(old, new, 1)})


FOLLOWED, UNSEEN = cases("followed.txt"), cases("unseen.txt")


def looked_at(root: Path, files: dict[str, str]) -> tuple[str, str]:
    """What the step gives, and its fingerprint."""
    write(root, files)
    print_of = fingerprint(Project(root, "pipeline.py").reach("rows"), parameters={}, inputs={}, seed=0)
    return result(root, "rows", 2).what, print_of


@pytest.mark.parametrize("case", FOLLOWED.values(), ids=FOLLOWED.keys())
def test_it_is_followed(tmp_path: Path, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_B", "0")
    one, other = (looked_at(tmp_path / name, files) for name, files in zip("ab", case, strict=True))
    assert one[0] != other[0], "the edit changes nothing"
    assert one[1] != other[1]


@pytest.mark.parametrize("case", UNSEEN.values(), ids=UNSEEN.keys())
def test_it_does_not_show(tmp_path: Path, case: Case) -> None:
    one, other = (looked_at(tmp_path / name, files) for name, files in zip("ab", case, strict=True))
    assert one == other


def test_the_causes_are_source_text(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "pipeline.py": "from b import f\nA = ( 1 )\nA += 1\ndef rows(v): return f(v, A) # yes\n",
            "b.py": "def f(a, b):\n  'f'\n  return a\n",
        },
    )
    assert Project(tmp_path, "pipeline.py").reach("rows").code == {
        "b:f": "def f(a, b):\n    return a",
        "pipeline:<order>": "A\nA",
        "pipeline:A": "A = 1\nA += 1",
        "pipeline:f": "from b import f",
        "pipeline:rows": "def rows(v):\n    return f(v, A)",
    }


def test_a_slice_keeps_what_another_module_does_to_it(tmp_path: Path) -> None:
    files = {
        "pipeline.py": "import fill\nfrom reg import R\ndef rows(value):\n    return R\n",
        "reg.py": "R = {}\n",
        "fill.py": "import json\nfrom reg import R\nR['x'] = 1\n",
    }
    write(tmp_path / "a", files)
    part = {name: text.decode() for name, text in Project(tmp_path / "a", "pipeline.py").slice("rows").items()}
    assert part["fill.py"] == "from reg import R\nR['x'] = 1\n"
    write(tmp_path / "b", part)
    assert result(tmp_path / "b", "rows", 1).what == "[{'x': 1}]"
