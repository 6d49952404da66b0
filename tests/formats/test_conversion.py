"""Ordinary pipelines: each converts, scores and agrees with the trained object, or ends in an error that names the part."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier, XGBRegressor

from towpath.errors import UsageError
from towpath.formats import NotConvertible
from towpath.formats.frames import canonical, columns_of, schema_of
from towpath.formats.onnx_export import check_convertible, to_onnx
from towpath.formats.onnx_trees import float32_below
from towpath.formats.parity import parity
from towpath.formats.scorer import OnnxScorer
from towpath.formats.trained import TrainedScorer, classes_of, inputs_of

TEXTS, NUMBERS = ["carrier", "origin"], ["hour", "distance", "temp", "holiday"]
SMALL = {"n_estimators": 25, "n_jobs": 1}
LIGHT = {**SMALL, "verbose": -1}


def raw_rows(rows: int = 800, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    words = ["good", "Bad", "flight", "a", "o'hare", "été", "x-y", "2013"]
    return pl.DataFrame(
        {
            "carrier": rng.choice(["AA", "B6", "DL", "UA", None], rows).tolist(),
            "origin": rng.choice(["JFK", "LGA", "EWR", ""], rows).tolist(),
            "hour": rng.integers(0, 24, rows).tolist(),
            "distance": (rng.random(rows) * 2500).tolist(),
            "temp": [None if rng.random() < 0.15 else float(value) for value in rng.normal(size=rows)],
            "holiday": (rng.random(rows) < 0.3).tolist(),
            "remark": [" ".join(rng.choice(words, 5)) for _ in range(rows)],
        }
    )


ROWS = canonical(raw_rows())
# rows that training did not see: a new carrier, other nulls, numbers beyond the range
NEW = canonical(
    raw_rows(seed=1).with_columns(carrier=pl.when(pl.col("hour") == 3).then(pl.lit("ZZ")).otherwise("carrier"), hour=pl.col("hour") + 4)
)
VALUE = ROWS["temp"].fill_nan(0).to_numpy() * 10 + ROWS["hour"].to_numpy() + 5 * (ROWS["carrier"] == "AA").to_numpy()
LATE = (VALUE + np.random.default_rng(2).normal(scale=5, size=len(VALUE)) > 12).astype(int)
WORDS = np.where(VALUE > 18, "late", np.where(VALUE > 8, "on time", "early"))


def prepared(text, number="passthrough", *more) -> ColumnTransformer:
    return ColumnTransformer([("text", text, TEXTS), ("number", number, NUMBERS), *more])


def ordinal() -> OrdinalEncoder:
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)


def one_hot() -> OneHotEncoder:
    return OneHotEncoder(handle_unknown="ignore")


def filled(scaler=None) -> Pipeline:
    return make_pipeline(SimpleImputer(), scaler or StandardScaler())


def text_column(vectorizer) -> Pipeline:
    return Pipeline(
        [("prepare", prepared(one_hot(), filled(), ("remark", vectorizer, "remark"))), ("model", LogisticRegression(max_iter=500))]
    )


PIPELINES = {
    "lightgbm, ordinal": (Pipeline([("prepare", prepared(ordinal())), ("model", LGBMClassifier(**LIGHT))]), LATE),
    "lightgbm, ordinal as native categories": (
        Pipeline([("prepare", prepared(ordinal())), ("model", LGBMClassifier(categorical_feature=[0, 1], **LIGHT))]),
        LATE,
    ),
    "lightgbm, one-hot": (Pipeline([("prepare", prepared(one_hot())), ("model", LGBMRegressor(**LIGHT))]), VALUE),
    "lightgbm, boolean target": (Pipeline([("prepare", prepared(ordinal())), ("model", LGBMClassifier(**LIGHT))]), LATE.astype(bool)),
    "lightgbm, string target": (Pipeline([("prepare", prepared(ordinal())), ("model", LGBMClassifier(**LIGHT))]), WORDS),
    "xgboost": (Pipeline([("prepare", prepared(ordinal())), ("model", XGBClassifier(**SMALL))]), LATE),
    "xgboost, three classes": (
        Pipeline([("prepare", prepared(one_hot())), ("model", XGBClassifier(**SMALL))]),
        np.unique(WORDS, return_inverse=True)[1],
    ),
    "xgboost, regression": (Pipeline([("prepare", prepared(ordinal())), ("model", XGBRegressor(**SMALL))]), VALUE),
    "logistic": (Pipeline([("prepare", prepared(one_hot(), filled())), ("model", LogisticRegression(max_iter=500))]), LATE),
    "logistic, string target": (Pipeline([("prepare", prepared(one_hot(), filled())), ("model", LogisticRegression(max_iter=500))]), WORDS),
    "null texts filled": (
        Pipeline(
            [
                (
                    "prepare",
                    prepared(make_pipeline(SimpleImputer(missing_values="", strategy="most_frequent"), one_hot()), filled(RobustScaler())),
                ),
                ("model", LogisticRegression(max_iter=500)),
            ]
        ),
        LATE,
    ),
    "linear regression": (
        Pipeline([("prepare", prepared(one_hot(), filled(MinMaxScaler(clip=True)))), ("model", LinearRegression())]),
        VALUE,
    ),
    "gradient boosting": (
        Pipeline([("prepare", prepared(ordinal(), filled())), ("model", GradientBoostingRegressor(n_estimators=25))]),
        VALUE,
    ),
    "forest with nulls": (Pipeline([("prepare", prepared(ordinal())), ("model", RandomForestClassifier(20, random_state=0))]), WORDS),
    "forest behind a scaler": (
        Pipeline([("prepare", prepared(one_hot(), filled())), ("model", RandomForestRegressor(20, random_state=0))]),
        VALUE,
    ),
    "tree behind another scaler": (
        Pipeline([("prepare", prepared(ordinal(), filled(MaxAbsScaler()))), ("model", DecisionTreeClassifier(random_state=0))]),
        LATE,
    ),
    "histogram boosting": (Pipeline([("prepare", prepared(ordinal())), ("model", HistGradientBoostingClassifier(max_iter=25))]), LATE),
    "histogram boosting, three classes": (
        Pipeline([("prepare", prepared(ordinal())), ("model", HistGradientBoostingClassifier(max_iter=25))]),
        WORDS,
    ),
    "histogram boosting, regression": (
        Pipeline([("prepare", prepared(ordinal())), ("model", HistGradientBoostingRegressor(max_iter=25))]),
        VALUE,
    ),
    "stacking": (
        Pipeline(
            [
                ("prepare", prepared(one_hot(), filled())),
                (
                    "model",
                    StackingClassifier(
                        [("line", LogisticRegression(max_iter=500)), ("trees", RandomForestClassifier(5, random_state=0))],
                        final_estimator=LogisticRegression(),
                        cv=2,
                    ),
                ),
            ]
        ),
        LATE,
    ),
    "calibrated": (Pipeline([("prepare", prepared(one_hot(), filled())), ("model", CalibratedClassifierCV(LinearSVC(), cv=2))]), LATE),
    "text, tf-idf": (text_column(TfidfVectorizer()), LATE),
    "text, counts of pairs": (text_column(CountVectorizer(ngram_range=(1, 2))), LATE),
    "text, letters": (text_column(TfidfVectorizer(analyzer="char", ngram_range=(1, 2))), LATE),
}


def fitted(model, target, rows=ROWS):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(Found unknown categories|categorical_feature).*")
        return model.fit(rows, target)


def compared(model, inputs=None, kind="polars", rows=NEW):
    inputs = inputs or inputs_of(model, schema_of(ROWS))
    trained = TrainedScorer(model, inputs, kind)
    scorer = OnnxScorer(to_onnx(model, inputs), inputs.names, classes_of(model))
    return parity(lambda frame: trained.score(columns_of(frame, inputs)), lambda frame: scorer.score(columns_of(frame, inputs)), rows)


@pytest.mark.filterwarnings("ignore:Found unknown categories")
@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_converts_and_agrees_on_rows_that_it_never_saw(name):
    model, target = PIPELINES[name]
    fitted(model, target)
    found = compared(model)
    assert found.rows == NEW.height
    assert found.max_difference < 5e-6, found


@pytest.mark.parametrize("name", ["lightgbm, ordinal", "forest with nulls", "text, tf-idf", "xgboost", "linear regression"])
def test_converting_twice_gives_the_same_bytes(name):
    model, target = PIPELINES[name]
    fitted(model, target)
    assert to_onnx(model, schema_of(ROWS)) == to_onnx(model, schema_of(ROWS))


def test_lightgbm_on_plain_numbers_with_nulls():
    rows = ROWS.select(NUMBERS)
    model = LGBMClassifier(**LIGHT).fit(rows, LATE)
    assert compared(model).max_difference < 1e-6
    array = LGBMRegressor(**LIGHT).fit(rows.to_numpy(), VALUE)
    assert compared(array, inputs_of(array, schema_of(rows))).max_difference < 5e-6


def test_lightgbm_on_pandas_categories():
    """The categories that LightGBM keeps to itself become a step of the graph; a new text is a missing value to both."""
    columns = [*NUMBERS[:2], *TEXTS, *NUMBERS[2:]]  # the texts amid the numbers
    rows = ROWS.select(columns).to_pandas().astype(dict.fromkeys(TEXTS, "category"))
    model = LGBMClassifier(**LIGHT, min_data_per_group=1, cat_smooth=1).fit(rows, LATE)
    assert any(split in str(model.booster_.dump_model()) for split in ("'=='", '"=="')), "the test needs splits on categories"
    found = compared(model, kind="pandas")
    assert found.max_difference < 1e-6, found


def test_pandas_categories_that_cannot_be_told_apart_are_refused():
    rows = ROWS.select(TEXTS + NUMBERS).to_pandas().astype({"carrier": "category", "hour": "category"})
    model = LGBMClassifier(**LIGHT).fit(rows.drop(columns="origin"), LATE)
    with pytest.raises(NotConvertible, match="2 category columns, the rows have 1 text"):
        to_onnx(model, inputs_of(model, schema_of(ROWS)))


def test_a_model_of_one_text_column_alone():
    model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(ROWS["remark"].to_list(), LATE)
    inputs = inputs_of(model, schema_of(ROWS.select("remark")))
    assert compared(model, inputs).max_difference < 1e-6


def test_a_model_takes_the_columns_that_it_was_trained_on_in_its_order():
    model = LGBMRegressor(**LIGHT).fit(ROWS.select("temp", "hour"), VALUE)
    assert inputs_of(model, schema_of(ROWS)).names == ("temp", "hour")
    assert compared(model).max_difference < 5e-6
    nameless = LGBMRegressor(**LIGHT).fit(ROWS.select("temp", "hour").to_numpy(), VALUE)
    with pytest.raises(UsageError, match="takes 2 columns without names"):
        inputs_of(nameless, schema_of(ROWS))


class Clipper(TransformerMixin, BaseEstimator):
    """A user's own step."""

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return np.clip(X, -1, 1)

    def get_feature_names_out(self, names=None):
        return np.asarray(names)


def numbers_through(step) -> Pipeline:
    return Pipeline([("prepare", prepared(one_hot(), make_pipeline(SimpleImputer(), step))), ("model", LogisticRegression(max_iter=500))])


def on_numbers(model) -> Pipeline:
    return Pipeline([("prepare", prepared(ordinal(), filled())), ("model", model)])


REFUSED = {
    "own step": (numbers_through(Clipper()), LATE, r"prepare.number.clipper' \(Clipper\)"),
    "function": (numbers_through(FunctionTransformer(np.tanh)), LATE, r"prepare.number.functiontransformer' \(FunctionTransformer\).*tanh"),
    "no probabilities": (Pipeline([("prepare", prepared(one_hot(), filled())), ("model", LinearSVC())]), LATE, "no probabilities"),
    "linear trees": (
        Pipeline([("prepare", prepared(ordinal(), filled())), ("model", LGBMRegressor(linear_tree=True, **LIGHT))]),
        VALUE,
        "linear_tree",
    ),
    "forest of lightgbm": (
        Pipeline(
            [("prepare", prepared(ordinal())), ("model", LGBMClassifier(boosting_type="rf", bagging_freq=1, bagging_fraction=0.5, **LIGHT))]
        ),
        LATE,
        "'rf'",
    ),
    "histogram's own categories": (
        Pipeline([("prepare", prepared(ordinal())), ("model", HistGradientBoostingClassifier(max_iter=5, categorical_features=[0]))]),
        LATE,
        "native categories",
    ),
    "histogram's exponential": (
        Pipeline([("prepare", prepared(ordinal())), ("model", HistGradientBoostingRegressor(loss="poisson", max_iter=5))]),
        LATE,
        "poisson",
    ),
    "indicator of what is missing": (
        Pipeline([("prepare", prepared(one_hot(), SimpleImputer(add_indicator=True))), ("model", LogisticRegression(max_iter=500))]),
        LATE,
        r"prepare.number' \(SimpleImputer\).*add_indicator",
    ),
    "words cut in another way": (
        text_column(TfidfVectorizer(strip_accents="unicode")),
        LATE,
        r"remark' \(TfidfVectorizer\).*strip_accents",
    ),
    "transformed target": (
        on_numbers(TransformedTargetRegressor(LinearRegression(), transformer=StandardScaler())),
        VALUE,
        "TransformedTargetRegressor of sklearn",
    ),
    "tuned threshold": (on_numbers(TunedThresholdClassifierCV(LogisticRegression(), cv=2)), LATE, r"step 'model'.*threshold"),
    "voting": (on_numbers(VotingClassifier([("line", LogisticRegression())], voting="soft")), LATE, "flatten_transform"),
    "boolean target of another": (on_numbers(AdaBoostClassifier(n_estimators=3)), LATE.astype(bool), "booleans"),
    "rare categories": (
        Pipeline([("prepare", prepared(OneHotEncoder(min_frequency=9), filled())), ("model", LogisticRegression())]),
        LATE,
        "infrequent",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_onnx_form_is_named_with_the_ways_on(name):
    model, target, says = REFUSED[name]
    fitted(model, target)
    with pytest.raises(NotConvertible, match=says) as caught:
        to_onnx(model, inputs_of(model, schema_of(ROWS)))
    assert caught.value.part
    assert caught.value.mend


@pytest.mark.parametrize("trees", [20, 100])
def test_rows_that_split_a_forest_in_halves_are_labelled_as_by_the_forest(trees):
    """Its mean is 0.5 twice, or by its own rounding almost; ONNX Runtime's sum is 0.49999997 and 0.50000003. The first class counts."""
    random = np.random.default_rng(0)
    rows, new = (canonical(pl.DataFrame({"x": random.random(2000).round(2), "y": random.random(2000).round(2)})) for _ in range(2))
    model = RandomForestClassifier(trees, random_state=0).fit(rows, rows["x"].to_numpy() + random.normal(size=2000) > 0.5)
    inputs = inputs_of(model, schema_of(rows))
    scores = OnnxScorer(to_onnx(model, inputs), inputs.names, classes_of(model)).score(columns_of(new, inputs))
    halved = np.isclose(model.predict_proba(new)[:, 0], 0.5, rtol=0, atol=1e-9)
    assert halved.any()
    assert scores.labels == np.where(halved, False, model.predict(new)).tolist()


@pytest.mark.parametrize("regressor", [XGBRegressor(**SMALL), GridSearchCV(XGBRegressor(**SMALL), {"max_depth": [2, 3]}, cv=2)])
def test_xgboost_by_itself_on_columns_with_names(regressor):
    rows = ROWS.select(NUMBERS)
    model = getattr(fitted(regressor, VALUE, rows), "best_estimator_", regressor)
    assert compared(model).max_difference < 5e-6
    assert model.get_booster().feature_names == NUMBERS, "the trained object is left as it was"


@pytest.mark.parametrize("model", [HistGradientBoostingClassifier(max_iter=5), XGBClassifier(enable_categorical=True, **SMALL)])
def test_categories_that_only_lightgbm_may_keep_to_itself(model):
    model.fit(ROWS.select(TEXTS + NUMBERS).to_pandas().astype(dict.fromkeys(TEXTS, "category")), LATE)
    with pytest.raises(NotConvertible, match="native categories") as caught:
        check_convertible(model)
    assert "LightGBM" in caught.value.mend


def test_bags_and_calibrations_are_looked_into():
    """What a bag keeps unfitted beside its fitted estimators is no part of it; what a calibration holds is."""
    rows = ROWS.select("hour", "distance")
    check_convertible(BaggingRegressor(LGBMRegressor(**LIGHT), n_estimators=2).fit(rows, VALUE))
    with pytest.raises(NotConvertible, match="linear_tree"):
        check_convertible(CalibratedClassifierCV(LGBMClassifier(linear_tree=True, **LIGHT), cv=2).fit(rows, LATE))


def test_a_fault_inside_a_converter_names_the_step():
    model = Pipeline([("scale", StandardScaler()), ("model", LGBMRegressor(objective="fair", **LIGHT))])
    model.fit(ROWS.select("hour", "distance"), VALUE)
    with pytest.raises(NotConvertible, match="fair"):
        to_onnx(model, inputs_of(model, schema_of(ROWS)))


def test_what_is_not_fitted_is_told():
    with pytest.raises(UsageError, match="LogisticRegression is not fitted"):
        check_convertible(LogisticRegression())


def test_no_estimator_is_refused():
    with pytest.raises(NotConvertible, match="no scikit-learn estimator"):
        to_onnx({"weights": [1]}, schema_of(ROWS))


@given(st.lists(st.floats(min_value=-3e38, max_value=3e38), min_size=1, max_size=50), st.data())
@settings(max_examples=200)
def test_a_threshold_rounded_down_is_the_same_test_for_every_float32(thresholds, data):
    """x <= t for float32 x says the same with t rounded down, for x around t above all."""
    exact = np.asarray(thresholds)
    near = exact.astype(np.float32)
    x = np.nextafter(near, np.float32(data.draw(st.sampled_from([np.inf, -np.inf])))) if data.draw(st.booleans()) else near
    np.testing.assert_array_equal(x.astype(np.float64) <= exact, x <= float32_below(exact))


def test_neighbouring_float32_values_stay_on_their_sides():
    """A threshold between two neighbours, rounded to the nearest, would land on the upper one half of the time."""
    low = np.linspace(1, 2, 200, dtype=np.float32)
    high = np.nextafter(low, np.float32(2.5))
    values = np.concatenate([low, high]).astype(np.float64)
    rows = pl.DataFrame({"x": values, "y": np.zeros(400)})
    target = np.concatenate([np.zeros(200), np.ones(200)])
    model = LGBMRegressor(n_estimators=30, num_leaves=127, max_bin=2000, min_data_in_bin=1, min_child_samples=1, verbose=-1, n_jobs=1).fit(
        rows, target
    )
    assert compared(model, schema_of(rows), rows=rows).max_difference < 1e-5


def test_bytes_do_not_hang_on_the_process_that_made_them():
    """Sets of text have another order in each process; two processes with unlike hash seeds give the same bytes."""
    source = (
        "import numpy as np; from sklearn.pipeline import make_pipeline; from sklearn.preprocessing import OrdinalEncoder\n"
        "from sklearn.tree import DecisionTreeClassifier; from towpath.digest import of_bytes\n"
        "from towpath.formats import Column, Schema; from towpath.formats.onnx_export import check_convertible, to_onnx\n"
        "x = np.array([['a'], ['b'], ['c']], dtype=object)\n"
        "model = make_pipeline(OrdinalEncoder(), DecisionTreeClassifier(random_state=0)).fit(x, ['u', 'v', 'u'])\n"
        "print(of_bytes(to_onnx(model, Schema((Column(name='s', type='string'),)))))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", source], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        )
        for seed in ("1", "3", "4")
    ]
    assert len({run.stdout for run in runs}) == 1
