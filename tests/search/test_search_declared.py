"""From towpath.yaml to a search: what is measured, in which folds, for how long; and where a fault of it stands."""

from datetime import timedelta

import pytest

from towpath.errors import ProjectError
from towpath.evaluation.folds import ByGroup, Forward, Shuffled
from towpath.evaluation.names import Direction
from towpath.project_file import load
from towpath.search import Budget
from towpath.search.declared import budget_of, folds_of, metric_of, question_of

HEAD = "name: a\ndata: {{rows: {{path: rows.csv{time}}}}}\nmodel: {{task: {task}, rows: rows, label: {label}}}\n"


def project(folder, text, *, task="binary", time="", label="late"):
    (folder / "towpath.yaml").write_text(HEAD.format(task=task, label=label, time=f", time: {time}" if time else "") + text)
    return load(folder, {})


@pytest.mark.parametrize(
    ("text", "time", "way"),
    [
        ("", "", Shuffled(5)),
        ("split: {test: {random: 20%, stratify: origin}}\n", "", Shuffled(5, "origin")),
        ("split: {test: {random: 20%, stratify: origin}}\nsearch: {folds: random}\n", "", Shuffled(5)),
        ("split: {test: {last: 14d}}\nsearch: {folds: 3}\n", "at", Forward(3, "at")),
        ("split: {test: {groups: plane}}\n", "", ByGroup(5, "plane")),
        ("search: {folds: stratified}\n", "", Shuffled(5, "late")),
        ("search: {folds: {kind: stratified, by: origin, count: 4}}\n", "", Shuffled(4, "origin")),
        ("search: {folds: {kind: time, by: hour}}\n", "at", Forward(5, "hour")),
        ("search: {folds: {kind: group, by: plane}}\nsplit: {test: {last: 14d}}\n", "at", ByGroup(5, "plane")),
    ],
)
def test_folds_are_the_declared_ones_or_those_of_the_holdout(tmp_path, text, time, way):
    assert folds_of(project(tmp_path, text, time=time)) == way


def test_folds_by_time_wait_for_labels(tmp_path):
    made = project(tmp_path, "split: {test: {last: 14d}}\n", time="at", label="{column: late, after: 1d}")
    assert folds_of(made) == Forward(5, "at", timedelta(days=1))


def test_folds_by_a_time_that_nobody_names_are_a_fault_with_its_line(tmp_path):
    with pytest.raises(ProjectError, match="no dataset has it") as caught:
        folds_of(project(tmp_path, "search:\n  folds: time\n"))
    assert (caught.value.line, caught.value.key) == (5, "search.folds")


@pytest.mark.parametrize(
    ("task", "text", "name", "better"),
    [
        ("binary", "", "auc", Direction.HIGHER),
        ("regression", "", "rmse", Direction.LOWER),
        ("regression", "search: {metric: r2}\n", "r2", Direction.HIGHER),
    ],
)
def test_the_metric_is_the_declared_one_or_the_first_of_the_task(tmp_path, task, text, name, better):
    made = project(tmp_path, text, task=task)
    assert metric_of(made).name == name
    assert question_of(made, folds=5, seed=1).better is better


def test_a_metric_of_another_task_is_a_fault_with_its_line(tmp_path):
    with pytest.raises(ProjectError, match="no metric for the task binary called 'rmse'") as caught:
        metric_of(project(tmp_path, "search:\n  trials: 3\n  metric: rmse\n"))
    assert (caught.value.line, caught.value.key) == (6, "search.metric")
    assert "auc" in caught.value.mend


def test_all_that_is_declared_comes_into_the_question(tmp_path):
    text = "search: {space: {a: {int: [1, 9]}}, sampler: random, pruner: halving, folds: 4, trials: 7, minutes: 2}\n"
    made = project(tmp_path, text)
    question = question_of(made, folds=4, seed=3, about="rows")
    assert (question.sampler, question.pruner, question.folds, question.seed, question.about) == ("random", "halving", 4, 3, "rows")
    assert question.space == made.search.space
    assert budget_of(made.search) == Budget(trials=7, seconds=120)
