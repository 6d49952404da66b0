"""`model: auto`: every model trains on rows as they come, converts to ONNX, and stands on the leaderboard by what it is worth."""

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import silhouette_score

from towpath.errors import Refused, UsageError
from towpath.evaluation.folds import Forward, Shuffled, folds
from towpath.evaluation.names import Direction
from towpath.formats.frames import canonical, columns_of, schema_of
from towpath.formats.onnx_export import to_onnx
from towpath.formats.parity import parity
from towpath.formats.scorer import OnnxScorer
from towpath.formats.trained import TrainedScorer, classes_of, inputs_of
from towpath.project_search import Folds, Search
from towpath.search import Budget, Question
from towpath.search.auto import clusters, fitted, models
from towpath.search.estimators import MOST_WORDS, estimator
from towpath.search.leaderboard import Standing, race
from towpath.search.objectives import Labelled
from towpath.search.port import Conduct, Trial
from towpath.search.portfolio import CONTENDERS, MODEL, TASKS, Field, field_of


def raw_rows(count: int = 400, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "carrier": random.choice(["AA", "B6", "DL", None], count).tolist(),
            "hour": random.integers(0, 24, count),
            "distance": random.random(count) * 2500,
            "temp": [None if random.random() < 0.15 else float(value) for value in random.normal(size=count)],
            "holiday": random.random(count) < 0.3,
            "never": pl.Series([None] * count, dtype=pl.Float64),
            "tail": [f"N{number}" for number in range(seed * count, (seed + 1) * count)],
        }
    )


ROWS = canonical(raw_rows())
NEW = canonical(raw_rows(seed=1).with_columns(carrier=pl.when(pl.col("hour") == 3).then(pl.lit("ZZ")).otherwise("carrier")))
VALUE = (ROWS["temp"].fill_nan(0) * 10 + ROWS["hour"] + (ROWS["carrier"] == "AA").cast(pl.Float64) * 5).to_numpy()
LABELS = {
    "regression": VALUE,
    "binary": VALUE > 12,
    "multiclass": np.digitize(VALUE, [8, 18]),
}
WORDS = np.where(VALUE > 18, "late", np.where(VALUE > 8, "on time", "early"))
SUPERVISED = [(one, task) for one in CONTENDERS for task in one.tasks if task in LABELS]


def quick(parameters):
    """The same with few trees."""
    return {**parameters, **({"trees": 50} if "trees" in parameters else {})}


@pytest.mark.parametrize(("contender", "task"), SUPERVISED, ids=lambda one: getattr(one, "name", one))
def test_each_model_converts_and_agrees_on_rows_that_it_never_saw(contender, task):
    standing = Standing(contender=contender.name, parameters=quick(contender.first), value=0.0, trials=1, seconds=0.0)
    rows = ROWS.with_columns(label=pl.Series(LABELS[task]))
    model = fitted(standing.chosen, rows, task, label="label")
    inputs = inputs_of(model, schema_of(ROWS))
    trained, scorer = TrainedScorer(model, inputs), OnnxScorer(to_onnx(model, inputs), inputs.names, classes_of(model))
    found = parity(lambda frame: trained.score(columns_of(frame, inputs)), lambda frame: scorer.score(columns_of(frame, inputs)), NEW)
    assert found.rows == NEW.height
    assert found.max_difference < 2e-5, found
    assert list(classes_of(model)) == ([] if task == "regression" else sorted(set(LABELS[task].tolist())))


@pytest.mark.parametrize("contender", field_of("clustering").contenders, ids=lambda one: one.name)
def test_clusters_convert_too_and_the_answer_is_the_number_of_the_rows_own(contender):
    model = estimator(contender.name, ROWS, contender.first, "clustering", seed=0).fit(ROWS)
    inputs = inputs_of(model, schema_of(ROWS))
    answers = OnnxScorer(to_onnx(model, inputs), inputs.names, classes_of(model)).score(columns_of(NEW, inputs)).values
    assert answers[:, 0].tolist() == model.predict(NEW).tolist()
    assert len(set(model.predict(NEW))) > 1


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda one: one.name)
def test_the_first_parameters_lie_in_the_space(contender):
    assert contender.first.keys() == contender.space.keys()
    for name, dimension in contender.space.items():
        if dimension.ends:
            assert dimension.ends[0] <= contender.first[name] <= dimension.ends[1]
        else:
            assert contender.first[name] in dimension.choice


@pytest.mark.parametrize(("contender", "task"), SUPERVISED, ids=lambda one: getattr(one, "name", one))
def test_each_model_learns_and_repeats_and_every_parameter_counts(contender, task):
    rows = ROWS.with_columns(label=pl.Series(LABELS[task]))
    metric = "r2" if task == "regression" else "accuracy"
    objective = Labelled(rows=rows, label="label", task=task, metric=metric, folds=tuple(folds(rows, Shuffled(4))), seed=3)
    first = Trial(0, {**quick(contender.first), MODEL: contender.name})
    value = objective(first, 0)
    assert value > (0.5 if task == "regression" else 0.75)
    assert objective(first, 0) == value
    made = estimator(contender.name, ROWS, contender.first, task, seed=0)
    told = set(map(str, made[-1].get_params().values()))
    assert {str(one) for one in contender.first.values()} <= told


def test_a_text_with_a_value_a_row_is_not_made_a_column_a_row():
    model = estimator("logistic", ROWS, {"strength": 1.0}, "binary", 0).fit(ROWS, LABELS["binary"])
    assert model[-1].coef_.shape[1] < 20
    assert ROWS["tail"].n_unique() > MOST_WORDS


def test_the_leaderboard_is_by_value_and_everybody_is_on_it_or_told():
    rows = ROWS.with_columns(label=pl.Series(WORDS))
    board = models(rows, "label", "multiclass", Search(metric="accuracy", trials=8), folds(rows, Shuffled(3, "label")))
    values = [one.value for one in board.standings]
    assert values == sorted(values, reverse=True)
    assert {one.contender for one in board.standings} | board.left_out.keys() == {
        one.name for one in CONTENDERS if "multiclass" in one.tasks
    }
    assert "whole numbers from 0" in board.left_out["xgboost"]
    assert sum(one.trials for one in board.standings) == 8
    searched = {one.contender for one in board.standings if one.trials > 1}
    assert len(searched) == 2
    model = fitted(board.best.chosen, rows, "multiclass", label="label")
    assert (model.predict(ROWS) == WORDS).mean() > 0.8


def test_a_lower_value_is_better_where_the_metric_says_so():
    rows = ROWS.with_columns(label=pl.Series(VALUE))
    board = models(rows, "label", "regression", Search(metric="mae", trials=5), folds(rows, Shuffled(2)))
    values = [one.value for one in board.standings]
    assert values == sorted(values)
    assert board.best.contender == "ridge"  # the label is a sum of columns


def test_few_trials_go_to_the_first_and_the_others_are_told():
    rows = ROWS.with_columns(label=pl.Series(VALUE))
    board = models(rows, "label", "regression", Search(trials=2), folds(rows, Shuffled(2)))
    assert {one.contender for one in board.standings} == {"ridge", "boosting"}
    assert set(board.left_out.values()) == {"the budget was spent before its first trial"}


def test_a_race_that_is_run_again_trains_nothing(tmp_path):
    rows, asked = ROWS.with_columns(label=pl.Series(VALUE)), Search(trials=8)
    first = models(rows, "label", "regression", asked, folds(rows, Shuffled(2)), Conduct(tmp_path))
    files = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.jsonl")}
    again = models(rows, "label", "regression", asked, folds(rows, Shuffled(2)), Conduct(tmp_path))
    assert again == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.jsonl")} == files


def test_two_processes_come_to_the_same_standings():
    rows = ROWS.with_columns(label=pl.Series(VALUE))
    one, two = (models(rows, "label", "regression", Search(trials=5, parallel=parallel), folds(rows, Shuffled(2))) for parallel in (1, 2))
    assert [(a.contender, a.parameters, a.value) for a in one.standings] == [(b.contender, b.parameters, b.value) for b in two.standings]


def hopeless(trial, fold):
    if trial.parameters[MODEL] != "kmeans":
        raise ValueError("it does not fit")
    return float(trial.parameters["clusters"])


def test_who_fails_is_left_out_with_the_reason_and_nobody_left_is_an_error():
    question = Question(space={}, better=Direction.HIGHER)
    board = race(field_of("clustering"), question, hopeless, Budget(trials=20))
    assert [one.contender for one in board.standings] == ["kmeans"]
    assert board.best.parameters == {"clusters": 12}
    assert "it does not fit" in board.left_out["mixture"]
    with pytest.raises(Refused, match=r"no model of the portfolio could be trained: batches: .*it does not fit"):
        race(Field(field_of("clustering").contenders[1:], {}), question, hopeless, Budget(trials=20))


def test_folds_by_time_are_looked_up_in_the_rows():
    rows = ROWS.with_columns(label=pl.Series(VALUE))
    board = models(rows, "label", "regression", Search(trials=1), folds(rows, Forward(2, "hour")))
    assert len(board.standings) == 1


def test_clusters_are_found_where_there_are_some():
    random = np.random.default_rng(5)
    middles = np.array([[0, 0], [8, 0], [0, 8], [8, 8]])
    points = middles[random.integers(0, 4, 400)] + random.normal(size=(400, 2))
    rows = canonical(pl.DataFrame({"x": points[:, 0], "y": points[:, 1]}))
    board = clusters(rows, Search(trials=24, folds=Folds(count=3)))
    assert board.best.parameters["clusters"] == 4
    model = fitted(board.best.chosen, rows, "clustering")
    assert silhouette_score(points, model.predict(rows)) == pytest.approx(board.best.value, abs=0.05)
    with pytest.raises(UsageError, match="clusters have no auc"):
        clusters(rows, Search(metric="auc"))


@pytest.mark.parametrize("task", TASKS)
def test_each_task_has_several_models(task):
    field = field_of(task)
    assert len(field.contenders) >= 3
    assert field.left_out == {}


def test_a_library_that_is_not_there_leaves_its_model_out(monkeypatch):
    monkeypatch.setattr("towpath.search.portfolio.find_spec", lambda name: None if name == "lightgbm" else object())
    field = field_of("binary", [True, False])
    assert "lightgbm" not in [one.name for one in field.contenders]
    assert "pip install 'towpath[lightgbm]'" in field.left_out["lightgbm"]
