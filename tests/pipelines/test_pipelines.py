"""Ordinary pipelines as projects of their own: run, packaged, served over HTTP, and in agreement with the trained object."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from tests.loop import little
from tests.pipelines.orders import asked, orders

from towpath.cli import main
from towpath.events import Outcome, RunEnded
from towpath.formats.frames import as_kind, as_polars, canonical, json_columns, kind_of, requested
from towpath.formats.manifest import TRAINED
from towpath.formats.package import Package, unpack
from towpath.pipeline.functions import load
from towpath.serving.client import Client

PROJECTS = Path(__file__).parent / "projects"
LIMIT = 1e-5  # of the gate `parity` in each project
CATEGORIES = {"carrier": "category", "city": "category"}

# by project: the form in which its `train` function handed the rows to the model
AS_TRAINED: dict[str, Callable[[pl.DataFrame], Any]] = {
    "lightgbm_native": lambda rows: rows.to_pandas().astype(CATEGORIES),
    "logistic": lambda rows: rows,
    "nulls": lambda rows: rows,
    "own_converter": lambda rows: rows,
    "own_transformer_in_features": lambda rows: rows,
    "pandas_category": lambda rows: rows.to_pandas().astype(CATEGORIES),
    "random_forest": lambda rows: rows.to_numpy(),
    "regression": lambda rows: rows,
    "search": lambda rows: rows,
    "string_target": lambda rows: rows,
    "text_alone": lambda rows: rows["note"].to_list(),
    "text_column": lambda rows: rows,
    "xgboost_alone": lambda rows: rows.to_pandas(),
    "xgboost_encoded": lambda rows: rows.to_pandas(),
    "yes_or_no": lambda rows: rows.to_pandas(),
}
# by project: the part that has no portable form, and words of the way on
REFUSED = {
    "calibrated_lightgbm": ("CalibratedClassifierCV", "replace it"),
    "histogram_native": ("HistGradientBoostingClassifier", "OrdinalEncoder"),
    "lightgbm_booster": ("Booster", "LGBMClassifier"),
    "missing_indicator": ("step 'columntransformer.numbers' (SimpleImputer)", "pl.col('weight').is_null()"),
    "own_transformer": ("step 'columntransformer.numbers.damped' (Damped)", "`features`"),
    "xgboost_native": ("XGBClassifier", "OrdinalEncoder"),
}


def test_every_project_is_tried() -> None:
    assert {folder.name for folder in PROJECTS.iterdir()} == AS_TRAINED.keys() | REFUSED.keys() | {"dummies_by_hand", "polynomials"}


def project(root: Path, name: str) -> Path:
    """The project as its user has it: a repository, with its data beside it."""
    shutil.copytree(PROJECTS / name, root)
    (root / ".gitignore").write_text(".towpath/\n*.parquet\n__pycache__/\n")
    orders().write_parquet(root / "orders.parquet")
    little.git(root, "init", "--quiet")
    little.commit(root)
    return root


@contextmanager
def serving(root: Path, *words: str) -> Iterator[Client]:
    """`towpath serve` as a process; stopped as a person would stop it."""
    ready, log = root / ".towpath" / "ready.json", root / ".towpath" / "serve.log"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "towpath", "serve", "--project", str(root), "--port", "0", "--ready", str(ready), *words]
    with log.open("wb") as out:
        server = subprocess.Popen(command, env=little.ENVIRON, stdout=out, stderr=out)
    try:
        end = time.monotonic() + 40
        while not ready.exists():
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < end, "the server was not ready in time"
            time.sleep(0.02)
        client = Client("127.0.0.1", json.loads(ready.read_text())["port"])
        yield client
        client.close()
        server.terminate()
        assert server.wait(20) == 0, log.read_text()
    finally:
        little.end([server])


def body(columns: dict[str, list[Any]], datatypes: dict[str, str]) -> bytes:
    inputs = [{"name": name, "shape": [len(data)], "datatype": datatypes[name], "data": data} for name, data in columns.items()]
    return json.dumps({"inputs": inputs}).encode()


def answers(client: Client, name: str, rows: pl.DataFrame) -> Iterator[list[dict[str, Any]]]:
    """The outputs for each row: asked one by one, then in a body of ten, then all in one."""
    status, told = client.get(f"/v2/models/{name}")
    assert status == 200, told
    datatypes = {one["name"]: one["datatype"] for one in json.loads(told)["inputs"]}
    rows = requested(rows.select(list(datatypes)))
    for size in (1, 10, rows.height):
        bodies = [body(json_columns(part), datatypes) for part in rows.iter_slices(size)]
        replies = [reply or (0, b"no answer") for reply in client.post_all(f"/v2/models/{name}/infer", bodies)]
        assert {status for status, _ in replies} == {200}, replies[0]
        yield [row for _, reply in replies for row in by_row(json.loads(reply)["outputs"])]


def by_row(outputs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Of the outputs of one reply, those of each row: the label or value, and the probabilities with their classes."""
    first, *more = outputs
    width = more[0]["shape"][1] if more else 0
    for row, value in enumerate(first["data"]):
        numbers = more[0]["data"][row * width : (row + 1) * width] if more else [value]
        yield {"answer": value, "numbers": numbers, "classes": more[0]["parameters"]["classes"] if more else []}


def trained_answers(root: Path, package: Package, rows: pl.DataFrame, form: Callable[[pl.DataFrame], Any]) -> tuple[Any, list[Any], Any]:
    """The trained object out of the package, asked as its `train` function would have asked it: classes, labels or values, and numbers."""
    model, user = pickle.loads(package.files[TRAINED]), load(root, "pipeline.py")
    seen = requested(rows.select(package.manifest.raw.names))
    if function := user.get("features"):
        seen = as_polars(function(as_kind(seen, kind_of(function))), source="features")
    given = form(canonical(seen))
    said = np.asarray(model.predict(given)).reshape(-1).tolist()
    if package.manifest.task == "regression":
        return [], said, np.reshape(said, (-1, 1))
    return model.classes_.tolist() if hasattr(model.classes_, "tolist") else list(model.classes_), said, model.predict_proba(given)


def run_once(root: Path) -> tuple[int, RunEnded]:
    code = main(["run", "--project", str(root)])
    ended = little.events(root, RunEnded)[-1]
    assert isinstance(ended, RunEnded)
    return code, ended


@pytest.mark.filterwarnings("ignore:Found unknown categories")
@pytest.mark.parametrize("name", AS_TRAINED)
def test_a_project_runs_serves_and_agrees(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = project(tmp_path / name, name)
    code, ended = run_once(root)
    assert (code, ended.outcome, ended.version) == (0, Outcome.REGISTERED, 1), capsys.readouterr()
    world, rows = little.world(root), asked()
    package = unpack(world.store, world.state().registry.version(1).digest)
    classes, said, numbers = trained_answers(root, package, rows, AS_TRAINED[name])
    scale = 1.0 if classes else float(np.std(numbers))
    assert np.unique(numbers.round(6), axis=0).shape[0] > 5, "the model tells the rows apart"
    with serving(root, "--version", "1") as client:
        for found in answers(client, name, rows):
            assert len(found) == rows.height
            assert all(one["classes"] == classes for one in found)
            np.testing.assert_allclose([one["numbers"] for one in found], numbers, rtol=0, atol=LIMIT * scale)
            if classes:
                assert [one["answer"] for one in found] == said


@pytest.mark.parametrize("name", REFUSED)
def test_a_part_without_a_portable_form_is_named_with_the_ways_on(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = project(tmp_path / name, name)
    code, ended = run_once(root)
    assert (code, ended.outcome, ended.version) == (1, Outcome.HELD, None)
    part, way = REFUSED[name]
    out, err = capsys.readouterr()
    assert f"run 1 was held: {part} has no portable (ONNX) form: " in out
    assert f"  error        {part} has no portable" in err
    assert way in ended.because.partition("ways on: ")[2]
    assert "Traceback" not in out + err
    assert little.world(root).state().registry.versions == {}


def test_columns_that_training_makes_by_itself_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, ended = run_once(project(tmp_path / "dummies", "dummies_by_hand"))
    assert (code, ended.outcome) == (1, Outcome.FAILED)
    assert "column 'carrier_': the trained LogisticRegression takes it" in ended.because
    assert "get_dummies" in ended.because
    assert "Traceback" not in capsys.readouterr().err


def test_answers_that_are_others_after_conversion_are_rejected_with_the_ways_on(tmp_path: Path) -> None:
    code, ended = run_once(project(tmp_path / "polynomials", "polynomials"))
    assert (code, ended.outcome) == (1, Outcome.REJECTED)
    assert ended.because.startswith("parity 0.")
    assert "ways on: do what a step computes before trees" in ended.because


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"towpath": ("task: binary", "task: regression")}, "the task is regression, and the trained Pipeline is a classifier"),
        ({"pipeline": ("LogisticRegression", "LinearRegression")}, "the task is binary, and the trained Pipeline is no classifier"),
        ({"towpath": ("label: late", "label: outcome"), "pipeline": ('"late"', '"outcome"')}, "values 'early', 'late', 'on time'"),
        ({"pipeline": ('.fit(train.drop("late"), train["late"])', "")}, "the Pipeline is not fitted"),
    ],
    ids=["a classifier for a regression", "a regressor for classes", "three classes for two", "not fitted"],
)
def test_a_model_that_is_not_for_the_task_is_told(
    files: dict[str, tuple[str, str]], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = project(tmp_path / "logistic", "logistic")
    written = {"towpath": "towpath.yaml", "pipeline": "pipeline.py"}
    changed = {name: (root / written[name]).read_text().replace(*change) for name, change in files.items()}
    changed["towpath"] = changed.get("towpath", (root / "towpath.yaml").read_text()).replace("auc >= baseline + 0.15, ", "")
    if "LinearRegression" in changed.get("pipeline", ""):
        changed["pipeline"] = changed["pipeline"].replace("LinearRegression(C=c)", "LinearRegression()")
    little.commit(root, **changed)
    code, ended = run_once(root)
    assert (code, ended.outcome) == (1, Outcome.FAILED)
    assert says in ended.because
    assert "Traceback" not in capsys.readouterr().err


def test_a_champion_goes_on_serving_when_its_successor_does_not_convert(tmp_path: Path) -> None:
    root = project(tmp_path / "logistic", "logistic")
    little.live(root)
    rows = asked()
    with serving(root) as client:
        before = next(answers(client, "logistic", rows))
        little.commit(root, pipeline=(PROJECTS / "own_transformer" / "pipeline.py").read_text())
        code, ended = run_once(root)
        assert (code, ended.outcome) == (1, Outcome.HELD)
        little.loop(root).turn()
        position = little.world(root).state().head.position
        status, told = client.get(f"/towpath/status?position={position}")
        assert (status, msgspec.json.decode(told)["champion"]["version"]) == (200, 1)
        assert next(answers(client, "logistic", rows)) == before
    state = little.world(root).state()
    assert (state.live.champion("production"), list(state.registry.versions)) == (1, [1])
