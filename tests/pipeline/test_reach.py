"""What an execution depends on: every edit that can change it shows, and no other."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from time import process_time

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath.errors import UsageError
from towpath.formats.recorded_code import load_function
from towpath.pipeline.code.reach import Project, Reached
from towpath.pipeline.fingerprint import fingerprint, versions

PIPELINE = '''
"""The pipeline."""
from __future__ import annotations
import polars as pl
import numpy as np
from project import units
from project.weather import join as join_weather, UNUSED
from clean import tidy

LIMIT = 10
TABLE = {"a": 1}
TABLE["b"] = 2

def rows(flights, weather):
    """Rows."""
    kept = tidy(flights)  # keep the good ones
    return join_weather(kept, weather).filter(pl.col("distance") < LIMIT)

def features(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(far=units.miles(rows["distance"]) + TABLE["a"])

def model(train, *, trees=200):
    return np.array(trees)
'''
FILES = {
    "project/pipeline.py": PIPELINE,
    "project/units.py": "FACTOR = 1.6\n\ndef miles(km):\n    return km / FACTOR\n\ndef feet(m):\n    return m * 3.28\n",
    "project/weather.py": "import polars\n\nUNUSED = 1\n\ndef join(a, b):\n    return _joined(a, b)\n\ndef _joined(a, b):\n    return a\n",
    "project/clean.py": "import scipy\n\nclass Tidy:\n    def __call__(self, rows):\n        return rows\n\ntidy = Tidy()\n",
}


def project(root: Path, *edits: tuple[str, str, str]) -> Project:
    """The project with some texts replaced: (file, old, new)."""
    files = dict(FILES)
    for file, old, new in edits:
        assert old in files[file]
        files[file] = files[file].replace(old, new)
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True, parents=True)
        (root / name).write_text(text)
    return Project(root, "project/pipeline.py")


def prints(root: Path, *edits: tuple[str, str, str]) -> dict[str, str]:
    code = project(root, *edits)
    return {name: fingerprint(code.reach(name), parameters={}, inputs={}, seed=0) for name in ("rows", "features", "model")}


def changed(root: Path, *edits: tuple[str, str, str]) -> set[str]:
    before, after = prints(root / "before"), prints(root / "after", *edits)
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (("project/pipeline.py", "# keep the good ones", "# keep them all"), set()),
        (("project/pipeline.py", '"""Rows."""', '"""All rows, joined."""'), set()),
        (("project/pipeline.py", '"""The pipeline."""', ""), set()),
        (("project/pipeline.py", "kept = tidy(flights)", "kept   =   (tidy(\n        flights))"), set()),
        (("project/units.py", "return m * 3.28", "return m * 3"), set()),
        (("project/weather.py", "UNUSED = 1", "UNUSED = 2"), set()),
        (("project/pipeline.py", "LIMIT = 10", "LIMIT = 11"), {"rows"}),
        (("project/pipeline.py", 'TABLE["b"] = 2', 'TABLE["b"] = 3'), {"features"}),
        (("project/units.py", "FACTOR = 1.6", "FACTOR = 1.609"), {"features"}),
        (("project/weather.py", "return a\n", "return b\n"), {"rows"}),
        (("project/clean.py", "return rows", "return rows[:5]"), {"rows"}),
        (("project/pipeline.py", "trees=200", "trees=300"), {"model"}),
        (("project/pipeline.py", "import numpy as np", "import math as np"), {"model"}),
        (("project/pipeline.py", "def rows(", "@staticmethod\ndef rows("), {"rows"}),
        (("project/units.py", "FACTOR = 1.6\n", "FACTOR = 1.6\nprint('loaded')\n"), {"features"}),
        (("project/units.py", "FACTOR = 1.6\n", "FACTOR = 1.6\nif __name__ == '__main__':\n    print(FACTOR)\n"), set()),
    ],
)
def test_an_edit_changes_the_steps_that_it_can_change(tmp_path: Path, edit: tuple[str, str, str], expected: set[str]) -> None:
    assert changed(tmp_path, edit) == expected


def test_a_parameter_hides_the_step_of_its_name(tmp_path: Path) -> None:
    assert "project.pipeline:rows" not in project(tmp_path).reach("features").code


def test_libraries_are_those_that_are_reached(tmp_path: Path) -> None:
    code = project(tmp_path)
    assert code.reach("features").imports == {"polars"}
    assert code.reach("model").imports == {"numpy"}
    assert code.reach("rows").imports == {"polars"}  # clean.py imports scipy, and nothing that rows reaches uses it


def weaknesses_of(root: Path, text: str) -> tuple[str, ...]:
    (root / "pipeline.py").write_text(text)
    return Project(root, "pipeline.py").weaknesses("step")


def reach_of(root: Path, text: str, function: str = "step", **others: str) -> Reached:
    root.mkdir(exist_ok=True, parents=True)
    (root / "pipeline.py").write_text(text)
    for name, source in others.items():
        path = root / (name.replace("__", "/") + ".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
    return Project(root, "pipeline.py").reach(function)


@pytest.mark.parametrize(
    "importing",
    [
        "import pack.deep\ndef step(a): return pack.deep.helper(a)",
        "import pack.deep as d\ndef step(a): return d.helper(a)",
        "from pack import deep\ndef step(a): return deep.helper(a)",
        "from pack.deep import helper\ndef step(a): return helper(a)",
        "from pack.deep import helper as h\ndef step(a): return h(a)",
        "from pack.deep import *\ndef step(a): return helper(a)",
        "def step(a):\n    from pack.deep import helper\n    return helper(a)",
        "def step(a):\n    import pack.deep\n    return pack.deep.helper(a)",
        "from pack import deep\ndef step(a): return run(deep, a)\ndef run(m, a): return m.helper(a)",
        "import pack\ndef step(a): return pack.deep.helper(a)",
        "try:\n    from pack.deep import helper\nexcept ImportError:\n    helper = None\ndef step(a): return helper(a)",
        "from pack.deep import helper\nstep = lambda a: helper(a)",
        "from pack.deep import helper\ndef step(a, by=helper): return by(a)",
        "from pack.deep import helper\nclass K:\n    def run(self, a): return helper(a)\ndef step(a): return K().run(a)",
        "from pack.deep import helper\ndef step(a): return [helper(x) for x in a]",
        "from pack.deep import helper\ndef step(a):\n    def inner(): return helper(a)\n    return inner()",
        "from relay import helper\ndef step(a): return helper(a)",
    ],
)
def test_every_manner_of_importing_is_followed(tmp_path: Path, importing: str) -> None:
    relay = "from pack.deep import helper\n"
    one, other = (
        reach_of(tmp_path / where, importing, pack__deep=f"def helper(a):\n    return {value}\n", relay=relay)
        for where, value in (("1", 1), ("2", 2))
    )
    assert one.code != other.code
    assert any(key == "pack.deep:helper" for key in one.code)


def test_modules_that_import_each_other_end(tmp_path: Path) -> None:
    found = reach_of(
        tmp_path, "from a import x\ndef step(f): return x(f)", a="from b import y\ndef x(f): return y(f)", b="from a import x\ny = x\n"
    )
    assert set(found.code) == {"pipeline:step", "pipeline:x", "a:x", "a:y", "b:y", "b:x"}


def test_relative_imports_in_a_package(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack/__init__.py").write_text("")
    (tmp_path / "pack/pipeline.py").write_text("from . import near\nfrom .near import g\ndef step(a): return near.f(g(a))\n")
    (tmp_path / "pack/near.py").write_text("def f(a): return a\ndef g(a): return a\ndef h(a): return a\n")
    found = Project(tmp_path, "pack/pipeline.py").reach("step").code
    assert set(found) == {"pack.pipeline:step", "pack.pipeline:near", "pack.pipeline:g", "pack.near:f", "pack.near:g"}
    assert found["pack.pipeline:near"] == "from pack import near"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return eval('a')", "`eval` looks something up"),
        ("return getattr(a, b)", "`getattr` looks something up"),
        ("return open('x').read()", "`open` may read what is not among"),
        ("return pl.read_csv('x')", "`read_csv` may read what is not among"),
    ],
)
def test_what_cannot_be_followed_is_named_with_its_line(tmp_path: Path, body: str, words: str) -> None:
    found = weaknesses_of(tmp_path, f"import polars as pl\nb = 'c'\ndef step(a):\n    {body}\n")
    assert len(found) == 1
    assert found[0].startswith("pipeline.py:4: ")
    assert words in found[0]


def test_a_constant_attribute_is_no_weakness(tmp_path: Path) -> None:
    assert weaknesses_of(tmp_path, "def step(a):\n    return getattr(a, 'x', None)\n") == ()


def test_a_syntax_error_is_the_users_to_mend(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"pipeline\.py:2"):
        reach_of(tmp_path, "x = 1\ndef step(:\n")


@given(st.integers(0, 3), st.sampled_from(["# x\n", "\n", "\n\n"]), st.booleans())
def test_comments_and_layout_never_show(at: int, noise: str, lines: bool) -> None:
    text = "A = 1\n|\ndef step(a):\n    return a + A\n|\nB = 2\n|"
    parts = text.split("|")
    noisy = "".join(part + (noise if number == at else "") for number, part in enumerate(parts))
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        assert (
            reach_of(Path(one), "".join(parts)).code == reach_of(Path(other), noisy.replace("a + A", "(a +\n  A)" if lines else "a+A")).code
        )


def test_what_a_distribution_requires_counts_too() -> None:
    found = versions(["sklearn"])
    assert {"scikit-learn", "numpy", "scipy"} <= set(found)
    assert versions(["json", "nowhere_to_be_found"]) == {}


def test_each_cause_changes_the_fingerprint() -> None:
    reached = Reached({"m:f": "x"}, frozenset())
    base = fingerprint(reached, parameters={"a": 1}, inputs={"d": "1"}, seed=0)  # type: ignore[dict-item]
    assert base == fingerprint(reached, parameters={"a": 1}, inputs={"d": "1"}, seed=0)  # type: ignore[dict-item]
    others = [
        fingerprint(Reached({"m:f": "y"}, frozenset()), parameters={"a": 1}, inputs={"d": "1"}, seed=0),  # type: ignore[dict-item]
        fingerprint(Reached({"m:f": "x"}, frozenset({"scipy"})), parameters={"a": 1}, inputs={"d": "1"}, seed=0),  # type: ignore[dict-item]
        fingerprint(reached, parameters={"a": 2}, inputs={"d": "1"}, seed=0),  # type: ignore[dict-item]
        fingerprint(reached, parameters={"a": 1}, inputs={"d": "2"}, seed=0),  # type: ignore[dict-item]
        fingerprint(reached, parameters={"a": 1}, inputs={"d": "1"}, seed=1),  # type: ignore[dict-item]
    ]
    assert len({base, *others}) == 6


def test_a_slice_runs_by_itself_and_holds_nothing_else(tmp_path: Path) -> None:
    files = project(tmp_path).slice("features")
    assert set(files) == {"project/pipeline.py", "project/units.py"}
    text = files["project/pipeline.py"].decode()
    assert "def features" in text
    assert "TABLE['b'] = 2" in text
    assert "def rows" not in text
    assert "numpy" not in text
    assert "feet" not in files["project/units.py"].decode()
    features = load_function(files, "project.pipeline", "features", unique="slice-test")
    assert features(pl.DataFrame({"distance": [16.0]}))["far"].to_list() == [11.0]


def test_a_slice_does_not_change_with_comments(tmp_path: Path) -> None:
    one = project(tmp_path / "1").slice("rows")
    assert one == project(tmp_path / "2", ("project/pipeline.py", "# keep the good ones", "")).slice("rows")


def test_a_thousand_steps_are_looked_at_at_once(tmp_path: Path) -> None:
    step = (
        "def step_{0}(rows: pl.DataFrame) -> pl.DataFrame:\n    kept = rows.filter(pl.col('a') > {0})\n    return scaled(kept, LIMIT)\n\n\n"
    )
    (tmp_path / "pipeline.py").write_text(
        "import polars as pl\nfrom scaling import scaled\nLIMIT = 3\n" + "".join(map(step.format, range(1000)))
    )
    (tmp_path / "scaling.py").write_text("def scaled(rows, by):\n    return rows * by\n")
    start = process_time()
    code = Project(tmp_path, "pipeline.py")
    found = [code.reach(f"step_{number}") for number in range(1000)]
    assert process_time() - start < 2  # .3 s on a machine that does nothing else
    assert len({str(one.code) for one in found}) == 1000


def test_nothing_heavy_is_imported_for_it() -> None:
    modules = "towpath.pipeline.code.reach, towpath.pipeline.fingerprint, towpath.pipeline.reasons"
    program = f"import sys, {modules}; sys.exit(bool({{'polars', 'numpy', 'scipy', 'pandas'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
