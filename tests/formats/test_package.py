"""Packages: equal contents, equal digest; what is read is what was written; a flipped byte is found. From training to answers."""

from __future__ import annotations

import sys
import warnings
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lightgbm import LGBMClassifier
from msgspec.structs import replace
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

from towpath.errors import Broken, Refused, UnknownName, UsageError
from towpath.formats import BadColumn, Column, FeaturesFunction, Manifest, NotConvertible, Schema, Scores
from towpath.formats import frames as fr
from towpath.formats.build import FeaturesCode, Trained, build, trained_answerer, training_rows
from towpath.formats.golden import Golden, check_golden, golden_of, pick
from towpath.formats.package import pack, unpack
from towpath.formats.parity import parity
from towpath.formats.recorded_code import load_function
from towpath.formats.scorer import OnnxScorer
from towpath.store.memory import MemoryStore
from towpath.verdict import Answer

NAMES = st.text("abc_é ", min_size=1, max_size=5)
COLUMNS = st.builds(
    lambda name, kind, nullable, categories: Column(name=name, type=kind, nullable=nullable, categories=categories),
    NAMES,
    st.sampled_from(["string", "integer", "number", "boolean", "time"]),
    st.booleans(),
    st.none() | st.lists(st.text(max_size=3), max_size=3).map(tuple),
)
SCHEMAS = st.lists(COLUMNS, max_size=3, unique_by=lambda column: column.name).map(lambda columns: Schema(tuple(columns)))
CLASSES = (
    st.lists(st.text(max_size=3), max_size=3).map(tuple) | st.lists(st.integers(-9, 9), max_size=3).map(tuple) | st.just((False, True))
)
MANIFESTS = st.builds(
    lambda classes, raw, inputs, features, wrong: Manifest(
        task="binary",
        label="late",
        classes=classes,
        raw=raw,
        inputs=inputs,
        features=features,
        wrong_over=wrong,
        made_with={"python": "3.11"},
    ),
    CLASSES,
    SCHEMAS,
    SCHEMAS,
    st.none() | st.just(FeaturesFunction(module="pipeline", function="features")),
    st.none() | st.floats(0, 1e9),
)
FILES = st.dictionaries(
    st.sampled_from(["model.onnx", "golden.json", "features/pipeline.py", "trained.pkl"]), st.binary(max_size=30), min_size=1
)


@given(MANIFESTS, FILES)
def test_what_is_unpacked_is_what_was_packed_and_equal_contents_have_an_equal_digest(manifest, files):
    store, other = MemoryStore(), MemoryStore()
    digest = pack(store, manifest, files)
    package = unpack(store, digest)
    assert dict(package.files) == files
    assert replace(package.manifest, files={}) == manifest
    assert [type(label) for label in package.manifest.classes] == [type(label) for label in manifest.classes]
    assert pack(other, package.manifest, dict(reversed(files.items()))) == digest
    assert unpack(other, digest) == package


@given(MANIFESTS, FILES, st.data())
def test_a_flipped_byte_is_found_wherever_it_is(manifest, files, data):
    store = MemoryStore()
    digest = pack(store, manifest, files)
    victim = data.draw(st.sampled_from([key for key, value in store.objects.items() if value]))
    place = data.draw(st.integers(0, len(store.objects[victim]) - 1))
    flipped = bytearray(store.objects[victim])
    flipped[place] ^= 1 << data.draw(st.integers(0, 7))
    store.objects[victim] = bytes(flipped)
    with pytest.raises(Broken, match=victim):
        unpack(store, digest)


def test_the_files_are_durable_before_the_manifest_is_there():
    class Watched(MemoryStore):
        def __init__(self):
            super().__init__()
            self.steps = []

        def put(self, data):
            self.steps.append("put")
            return super().put(data)

        def sync(self):
            self.steps.append("sync")

    store = Watched()
    pack(store, Manifest(task="regression", label="y", raw=Schema(()), inputs=Schema(())), {"a": b"1", "b": b"2"})
    assert store.steps == ["put", "put", "sync", "put", "sync"]


def test_a_digest_of_something_else_is_no_package():
    store = MemoryStore()
    with pytest.raises(Broken, match="no manifest"):
        unpack(store, store.put(b'{"task": "binary"}'))
    with pytest.raises(UnknownName):
        unpack(store, "0" * 64)


PIPELINE = """
import polars as pl
from words import shout          # a module beside the pipeline

def features(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        shout("carrier"), "distance", "temp",
        hour=pl.col("sched").dt.hour(), weekday=pl.col("sched").dt.weekday(),
    )

def one_less(rows):
    return rows.head(rows.height - 1)

def no_frame(rows):
    return rows.height
"""
WORDS = "import polars as pl\n\ndef shout(name):\n    return pl.col(name).str.to_uppercase()\n"
CODE = FeaturesCode(
    module="project.pipeline", function="features", files={"project/pipeline.py": PIPELINE.encode(), "project/words.py": WORDS.encode()}
)


def flights(rows: int = 600, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    temp = rng.normal(size=rows)
    hour = rng.integers(0, 24 * 300, rows)
    return pl.DataFrame(
        {
            "sched": [datetime(2013, 1, 1) + timedelta(hours=int(hours)) for hours in hour],
            "carrier": rng.choice(["aa", "b6", "dl", None], rows, p=[0.5, 0.3, 0.19, 0.01]).tolist(),
            "distance": rng.integers(80, 5000, rows).tolist(),
            "temp": [None if rng.random() < 0.1 else float(value) for value in temp],
            "late": (temp + hour % 24 / 8 + rng.normal(size=rows) > 1.8).tolist(),
        }
    )


FLIGHTS = flights()


def trained_lateness(rows: pl.DataFrame = FLIGHTS) -> Trained:
    train = training_rows(rows, "late", CODE)
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    prepare = ColumnTransformer([("texts", encode, ["carrier"])], remainder="passthrough")
    model = Pipeline([("prepare", prepare), ("model", LGBMClassifier(n_estimators=20, verbose=-1, n_jobs=1))])
    model.fit(train.drop("late"), train["late"])
    return Trained(model=model, task="binary", label="late", features=CODE)


@pytest.fixture(scope="module")
def lateness():
    store, trained = MemoryStore(), trained_lateness()
    return store, trained, build(store, trained, FLIGHTS)


def test_training_sees_what_the_server_will_see():
    train = training_rows(FLIGHTS, "late", CODE)
    assert train.columns == ["carrier", "distance", "temp", "hour", "weekday", "late"]
    assert train.dtypes == [pl.String, *[pl.Float64] * 4, pl.Boolean]
    assert set(train["carrier"]) == {"AA", "B6", "DL", ""}


def test_a_package_says_what_a_request_carries_and_what_the_model_takes(lateness):
    store, _, digest = lateness
    manifest = unpack(store, digest).manifest
    assert manifest.raw.names == ("sched", "carrier", "distance", "temp")
    assert [column.type for column in manifest.raw.columns] == ["time", "string", "integer", "number"]
    assert [column.nullable for column in manifest.raw.columns] == [False, True, False, True]
    assert manifest.raw.columns[1].categories == ("aa", "b6", "dl")
    assert manifest.inputs.names == ("carrier", "distance", "temp", "hour", "weekday")
    assert manifest.classes == (False, True)
    assert {"python", "lightgbm", "onnxruntime", "scikit-learn"} <= manifest.made_with.keys()
    assert sorted(manifest.files) == [
        "features/project/pipeline.py",
        "features/project/words.py",
        "golden.json",
        "model.onnx",
        "trained.pkl",
    ]


def test_package_and_trained_object_agree_from_raw_rows_on(lateness):
    store, trained, digest = lateness
    rows = flights(300, seed=7).with_columns(carrier=pl.when(pl.col("distance") < 500).then(pl.lit("zz")).otherwise("carrier"))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Found unknown")
        found = parity(trained_answerer(trained, rows), unpack(store, digest).answerer(), rows)
    assert found.max_difference < 5e-7
    assert found.rows == 300


def test_training_again_gives_the_same_package(lateness):
    _, _, digest = lateness
    assert build(MemoryStore(), trained_lateness(), FLIGHTS) == digest


def test_golden_rows_pass_on_the_package_and_fail_on_another(lateness):
    store, _, digest = lateness
    package = unpack(store, digest)
    golden, answer = package.golden(), package.answerer()
    assert 15 <= len(golden.answers) <= 20
    assert None in golden.columns["temp"]
    assert set(golden.columns["carrier"]) == {"aa", "b6", "dl", None}
    assert isinstance(golden.columns["sched"][0], str)

    def asked(columns):
        return answer(fr.frame_of(package.manifest.raw, columns)).values

    verdict = check_golden(asked, golden)
    assert verdict.answer is Answer.PASS
    assert verdict.numbers["max_difference"] < 1e-6
    other = unpack(store, build(store, trained_lateness(flights(seed=3)), FLIGHTS)).answerer()
    verdict = check_golden(lambda columns: other(fr.frame_of(package.manifest.raw, columns)).values, golden)
    assert verdict.answer is Answer.FAIL
    assert "recorded is" in verdict.because


def test_golden_rows_that_cannot_be_answered_are_an_error_and_a_wrong_shape_a_failure():
    golden = Golden(columns={"x": [1.0]}, answers=[[0.2, 0.8]])

    def refuses(columns):
        raise Refused("no", mend="none")

    assert check_golden(refuses, golden).answer is Answer.ERROR
    assert check_golden(lambda columns: [[0.2, 0.3, 0.5]], golden).answer is Answer.FAIL
    assert check_golden(lambda columns: [[0.2, float("nan")]], golden).answer is Answer.FAIL


def test_golden_values_of_a_regression_are_told_in_their_own_scale():
    rows = pl.DataFrame({"x": [1e6 * n for n in range(50)]})
    golden = golden_of(rows, lambda frame: Scores(frame.to_numpy()))
    assert golden.scale == pytest.approx(rows["x"].std(ddof=0))
    assert check_golden(lambda columns: [[x + 1] for x in columns["x"]], golden).answer is Answer.PASS
    assert check_golden(lambda columns: [[x + 1e4] for x in columns["x"]], golden).answer is Answer.FAIL


@given(st.integers(0, 60), st.integers(0, 5))
def test_picked_rows_are_few_ascending_and_the_same_each_time(rows, seed):
    frame = fr.requested(flights(rows, seed)) if rows else fr.requested(flights(1)).head(0)
    picked = pick(frame)
    assert picked == sorted(set(picked)) == pick(frame)
    assert len(picked) <= min(20, rows)
    assert bool(picked) == bool(rows)


def test_parity_says_where_the_greatest_difference_is():
    rows = pl.DataFrame({"x": [0.0, 1.0, 2.0]})
    ours = np.array([[0.4, 0.6], [0.5, 0.5], [0.1, 0.9]])
    theirs = ours + np.array([[0, 0], [0, -0.25], [0.01, 0]])
    found = parity(lambda _: Scores(ours, ("no", "yes")), lambda _: Scores(theirs, ("no", "yes")), rows)
    assert (found.max_difference, found.row, found.output, found.trained, found.packaged) == (0.25, 1, "yes", 0.5, 0.25)
    with pytest.raises(Refused, match="classes"):
        parity(lambda _: Scores(ours, ("no", "yes")), lambda _: Scores(theirs, ("yes", "no")), rows)
    with pytest.raises(UsageError, match="no rows"):
        parity(lambda _: Scores(ours), lambda _: Scores(theirs), rows.head(0))


def test_parity_of_values_is_relative_to_their_spread_and_nan_on_one_side_is_infinite():
    rows = pl.DataFrame({"x": [0.0, 1.0]})
    ours = np.array([[0.0], [200.0]])
    found = parity(lambda _: Scores(ours), lambda _: Scores(ours + 1), rows)
    assert (found.scale, found.max_difference, found.output) == (100.0, 0.01, "value")
    found = parity(lambda _: Scores(ours), lambda _: Scores(np.array([[0.0], [np.nan]])), rows)
    assert (found.max_difference, found.row) == (np.inf, 1)


def test_a_regression_without_features_takes_the_raw_rows():
    rows = pl.DataFrame({"x": [1, 2, 3, 4], "flag": [True, False, True, False], "y": [1.5, 2.5, 3.5, 4.5]})
    train = training_rows(rows, "y")
    model = LinearRegression().fit(train.drop("y"), train["y"])
    store = MemoryStore()
    package = unpack(store, build(store, Trained(model=model, task="regression", label="y", wrong_over=0.5), rows))
    scores = package.answerer()(rows.drop("y"))
    assert scores.classes == ()
    np.testing.assert_allclose(scores.labels, rows["y"], atol=1e-5)
    assert (package.manifest.features, package.manifest.wrong_over) == (None, 0.5)


def test_features_may_take_and_give_pandas():
    source = "import pandas as pd\n\ndef features(rows: pd.DataFrame) -> pd.DataFrame:\n    return rows.assign(x=rows.x * 2)\n"
    code = FeaturesCode(module="pipeline", function="features", files={"pipeline.py": source.encode()})
    made = code.load()(pl.DataFrame({"x": [1, 2], "s": ["a", None]}))
    assert made.to_dict(as_series=False) == {"x": [2, 4], "s": ["a", None]}


@pytest.mark.parametrize(
    ("function", "says"),
    [("one_less", "gave 599 rows for 600"), ("no_frame", "gave a int, which is no frame"), ("gone", "no function gone")],
)
def test_features_that_are_not_row_wise_are_named(function, says):
    code = FeaturesCode(module=CODE.module, function=function, files=CODE.files)
    with pytest.raises(UsageError, match=says):
        code.load()(FLIGHTS)


def test_two_versions_of_the_same_modules_live_side_by_side():
    def code(number):
        return {
            "pipeline.py": b"from helpers.numbers import N\ndef features(rows):\n    return N\n",
            "helpers/numbers.py": f"N = {number}\n".encode(),
        }

    one = load_function(code(1), "pipeline", "features", unique="one")
    two = load_function(code(2), "pipeline", "features", unique="two")
    assert (one(None), two(None)) == (1, 2)
    assert not {"pipeline", "helpers", "helpers.numbers"} & sys.modules.keys()
    assert "towpath_recorded_two.helpers.numbers" in sys.modules


def test_recorded_code_comes_before_what_is_imported_already_and_gives_the_name_back():
    before = sys.modules["json"]
    found = load_function({"json.py": b"def features(rows):\n    return 'recorded'\n"}, "json", "features", unique="x")
    assert found(None) == "recorded"
    assert sys.modules["json"] is before


@pytest.mark.parametrize(
    ("source", "says", "mend"),
    [
        ("import not_there_at_all", "not_there_at_all", "install not_there_at_all"),
        ("1 / 0", "ZeroDivisionError", "fresh"),
        ("def (", "SyntaxError", "fresh"),
    ],
)
def test_recorded_code_that_cannot_be_imported_says_why(source, says, mend):
    with pytest.raises(UsageError, match=says) as caught:
        load_function({"pipeline.py": source.encode()}, "pipeline", "features", unique="bad")
    assert mend in caught.value.mend
    assert "pipeline" not in sys.modules


@pytest.fixture(scope="module")
def scorer(lateness):
    store, _, digest = lateness
    return unpack(store, digest).scorer()


def test_a_scorer_takes_plain_python_values(scorer):
    row = {"carrier": ["AA"], "distance": [229], "temp": [None], "hour": [5], "weekday": [True]}
    scores = scorer.score(row)
    assert scores.values.shape == (1, 2)
    assert scores.values.sum() == pytest.approx(1)
    assert scores.labels in ([False], [True])
    same = scorer.score(
        {"carrier": ["AA"], "distance": np.array([229.0]), "temp": [float("nan")], "hour": [5.0], "weekday": [1], "more": ["?"]}
    )
    np.testing.assert_array_equal(same.values, scores.values)
    np.testing.assert_array_equal(scorer.score(row | {"carrier": [None]}).values, scorer.score(row | {"carrier": [""]}).values)


@pytest.mark.parametrize(
    ("change", "fault", "says"),
    [
        ({"carrier": [5]}, BadColumn, "'carrier': row 0 is 5, which is no text"),
        ({"temp": ["warm"]}, BadColumn, "'temp': a value is no number"),
        ({"hour": [5, 6]}, Refused, "does not take these rows"),
        ({"hour": None}, BadColumn, "'hour': it is missing"),
    ],
)
def test_a_scorer_names_what_it_cannot_take(scorer, change, fault, says):
    row = {"carrier": ["AA"], "distance": [229], "temp": [None], "hour": [5], "weekday": [3]} | change
    with pytest.raises(fault, match=says):
        scorer.score({name: values for name, values in row.items() if values is not None})


def test_bytes_that_are_no_model_are_refused():
    with pytest.raises(NotConvertible, match="does not load"):
        OnnxScorer(b"not a model", ())


def test_column_names_may_hold_anything():
    rows = pl.DataFrame(
        {
            "départ prévu": [1.0, 2.0, 3.0],
            "a-b.c/d": [1.0, 0.0, 1.0],
            "1": [0.0, 5.0, 1.0],
            "variable": [1.0, 1.0, 2.0],
            "y": [1.0, 2.0, 3.0],
        }
    )
    model = LinearRegression().fit(rows.drop("y"), rows["y"])
    store = MemoryStore()
    answer = unpack(store, build(store, Trained(model=model, task="regression", label="y"), rows)).answerer()
    np.testing.assert_allclose(answer(rows.drop("y")).labels, rows["y"], atol=1e-5)
