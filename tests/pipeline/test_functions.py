"""Loading the user's functions: two trees in one process, and nothing left behind."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest

from towpath.errors import UnknownName, UsageError
from towpath.pipeline.errors import StepFailed
from towpath.pipeline.functions import load, named, wants_folder
from towpath.pipeline.graph import defaults_of, inputs_of
from towpath.pipeline.importing import active


def tree(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / (name.replace("__", "/") + ".py")
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
    return root


def test_two_trees_of_one_project_are_loaded_side_by_side(tmp_path: Path) -> None:
    trees = [
        tree(
            tmp_path / str(n),
            project__pipeline="from project.util import f\nfrom near import g\ndef step(): return f(), g()",
            project__util=f"def f(): return {n}",
            project__near=f"def g(): return {n}",
        )
        for n in (1, 2)
    ]
    one, two = (load(root, "project/pipeline.py")["step"] for root in trees)
    assert (one(), two(), one()) == ((1, 1), (2, 2), (1, 1))


def test_nothing_stays_on_the_import_path(tmp_path: Path) -> None:
    path, meta, names = list(sys.path), list(sys.meta_path), {name for name in sys.modules if name.split(".")[0] in ("project", "steps")}
    load(tree(tmp_path, project__pipeline="import steps\ndef a(): pass", project__steps="x = 1"), "project/pipeline.py")
    assert (sys.path, sys.meta_path) == (path, meta)
    assert {name for name in sys.modules if name.split(".")[0] in ("project", "steps")} == names


def test_an_edit_within_the_same_second_is_seen(tmp_path: Path) -> None:
    for value in range(5):
        root = tree(tmp_path, pipeline="from part import VALUE\ndef step(): return VALUE", part=f"VALUE = {value}")
        assert load(root, "pipeline.py")["step"]() == value
    assert not list(tmp_path.rglob("*.pyc"))


def test_public_functions_are_listed_those_of_the_projects_other_files_too(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        pipeline="from os.path import join\nfrom part import shared\n_x = 1\ndef _hidden(): pass\ndef step(): pass\nclass K: pass",
        part="def shared(): pass",
    )
    assert set(load(root, "pipeline.py")) == {"shared", "step"}


def test_relative_imports_and_packages_work(tmp_path: Path) -> None:
    pipeline = "from . import SIZE\nfrom .near import f\ndef step(): return f(SIZE)"
    root = tree(tmp_path, pack__pipeline=pipeline, pack__near="def f(x): return x + 1")
    (root / "pack/__init__.py").write_text("SIZE = 3")
    assert load(root, "pack/pipeline.py")["step"]() == 4


def test_imports_inside_a_function_find_their_own_tree(tmp_path: Path) -> None:
    pipeline = "def step():\n    from late import VALUE\n    return VALUE"
    roots = [tree(tmp_path / str(n), pipeline=pipeline, late=f"VALUE = {n}") for n in (1, 2)]
    steps = [load(root, "pipeline.py")["step"] for root in roots]
    for expected, step in zip((1, 2), steps, strict=True):
        with active(step):
            assert step() == expected
    with active(len):
        pass  # what is not the user's has no tree


def test_objects_of_the_users_classes_can_be_pickled_and_the_same_code_gives_the_same_bytes(tmp_path: Path) -> None:
    pickles = []
    for name in ("a", "b"):
        root = tree(tmp_path / name, pipeline="from kinds import Kind\ndef make(): return Kind()", kinds="class Kind:\n    x = 1")
        pickles.append(pickle.dumps(load(root, "pipeline.py")["make"]()))
    assert pickles[0] == pickles[1]
    assert pickle.loads(pickles[0]).x == 1


def test_installed_packages_are_not_hidden_by_a_folder_of_their_name(tmp_path: Path) -> None:
    root = tree(tmp_path, pipeline="import polars\ndef step(): return polars.__name__, bool(polars.DataFrame)", polars__notes="")
    assert load(root, "pipeline.py")["step"]() == ("polars", True)


@pytest.mark.parametrize(
    ("text", "words"),
    [("import nowhere_to_be_found", "ModuleNotFoundError"), ("1 / 0", "ZeroDivisionError"), ("def f(:", "SyntaxError")],
)
def test_a_file_that_cannot_be_imported_shows_the_users_own_lines(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(StepFailed, match=words) as caught:
        load(tree(tmp_path, pipeline=text), "pipeline.py")
    assert 'File "pipeline.py", line 1' in caught.value.trace
    assert "importlib" not in caught.value.trace
    assert "towpath/pipeline" not in caught.value.trace


def test_what_is_no_pipeline_is_said(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    for name in ("missing.py", "notes.txt"):
        with pytest.raises(UsageError, match=name):
            load(tmp_path, name)
    with pytest.raises(UnknownName) as caught:
        named({"rows": len}, "row")
    assert "'rows'" in caught.value.mend or "rows" in caught.value.mend


DECORATORS = {
    "functools": "from functools import cache as decorated",
    "of a library": "import numpy as np\ndecorated = np.errstate(divide='ignore')",
    "both": "import numpy as np\nfrom functools import lru_cache\ndecorated = lambda f: lru_cache(np.errstate(divide='ignore')(f))",
    "a closure": "from decorators_of_a_library import bare as decorated",
    "an object": "from decorators_of_a_library import Bare as decorated",
}


@pytest.mark.parametrize("how", DECORATORS)
def test_what_a_decorator_of_a_library_makes_of_a_function_is_that_function(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "installed").mkdir()
    (tmp_path / "installed/decorators_of_a_library.py").write_text(
        "def bare(f):\n    def wrapper(*a, **k):\n        return f(*a, **k)\n    return wrapper\n\n\n"
        "class Bare:\n    def __init__(self, f):\n        self.f = f\n\n    def __call__(self, *a, **k):\n        return self.f(*a, **k)\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "installed")
    text = (
        "from pathlib import Path\n"
        f"{DECORATORS[how]}\n"
        "@decorated\ndef step(folder: Path, *, rate: int = 2):\n    from late import VALUE\n    return VALUE * rate\n"
    )
    step = load(tree(tmp_path / "tree", pipeline=text, late="VALUE = 21"), "pipeline.py")["step"]
    assert inputs_of(step) == ["folder"]
    assert defaults_of(step) == {"rate": 2}
    assert wants_folder(step, "folder")
    with active(step):
        assert step(folder=None, rate=2) == 42
