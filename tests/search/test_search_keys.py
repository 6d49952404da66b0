"""The keys below `search`: what a short form stands for, and what every fault says."""

import pytest

from towpath.errors import ProjectError
from towpath.project_file import load
from towpath.project_reading import Unreadable, read
from towpath.project_search import TRIALS, Dimension, Folds, Search

FULL = {
    "metric": "auc",
    "trials": 30,
    "minutes": 10,
    "sampler": "random",
    "pruner": "none",
    "folds": {"kind": "group", "count": 3, "by": "plane"},
    "parallel": 2,
    "retrain": "fresh",
    "space": {"trees": {"int": [50, 400]}, "rate": {"float": [0.01, 0.3], "log": True}, "kind": {"choice": ["a", "b"]}},
}


def test_every_key_is_read():
    found = read(Search, FULL)
    assert found.folds == Folds(kind="group", count=3, by="plane")
    assert found.space["trees"] == Dimension(int=(50, 400))
    assert found.space["rate"].ends == (0.01, 0.3)
    assert found.space["kind"].ends is None
    assert (found.most, found.minutes, found.parallel, found.retrain) == (30, 10.0, 2, "fresh")


@pytest.mark.parametrize(
    ("written", "meant"),
    [(3, Folds(count=3)), ("3", Folds(count=3)), ("stratified", Folds(kind="stratified")), ({"kind": "time"}, Folds(kind="time"))],
)
def test_folds_have_short_forms(written, meant):
    assert read(Search, {"folds": written}).folds == meant


@pytest.mark.parametrize(("given", "most"), [({}, TRIALS), ({"minutes": 5}, None), ({"trials": 7}, 7), ({"trials": 7, "minutes": 1}, 7)])
def test_a_search_always_ends(given, most):
    assert read(Search, given).most == most


FAULTS = {
    "a fraction of a whole number": ({"space": {"a": {"int": [1.5, 2]}}}, "space.a.int.0", "cannot be 1.5", ""),
    "one end": ({"space": {"a": {"int": [1]}}}, "space.a.int", "length >= 2", ""),
    "the wrong way round": ({"space": {"a": {"int": [5, 2]}}}, "space.a", "from 5 to 2", "[2, 5]"),
    "two kinds": ({"space": {"a": {"int": [1, 2], "choice": [1]}}}, "space.a", "one of `int`, `float` and `choice`", "{int: [50, 400]}"),
    "no kind": ({"space": {"a": {}}}, "space.a", "one of `int`, `float` and `choice`", ""),
    "a kind misspelt": ({"space": {"a": {"itn": [1, 2]}}}, "space.a.itn", "unknown key", "`int`"),
    "no mapping": ({"space": {"a": [1, 2]}}, "space.a", "cannot be [1, 2]", "it has keys: int, float, choice"),
    "the logarithm of nothing": ({"space": {"a": {"float": [0, 1], "log": True}}}, "space.a", "no value at 0", "begin above 0"),
    "no end": ({"space": {"a": {"float": [0, float("inf")]}}}, "space.a", "the ends are 0.0 and inf", "finite"),
    "a step of nothing": ({"space": {"a": {"float": [0, 1], "step": 0}}}, "space.a", "a step of 0 cannot be", "above 0"),
    "half a step": ({"space": {"a": {"int": [0, 4], "step": 0.5}}}, "space.a", "a step of 0.5 cannot be", "whole for `int`"),
    "steps of orders": ({"space": {"a": {"int": [1, 4], "step": 1, "log": True}}}, "space.a", "does not go with `log`", ""),
    "the logarithm of words": ({"space": {"a": {"choice": ["x"], "log": True}}}, "space.a", "this is a choice", ""),
    "a value twice": ({"space": {"a": {"choice": ["x", "x"]}}}, "space.a", "twice", "once"),
    "an endless grid": ({"sampler": "grid", "space": {"a": {"float": [0, 1]}}}, "", "a grid has no end over a", "`step`"),
    "a sampler misspelt": ({"sampler": "tep"}, "sampler", "cannot be 'tep'", "did you mean tpe?"),
    "a pruner misspelt": ({"pruner": "medain"}, "pruner", "cannot be 'medain'", "did you mean median?"),
    "a way misspelt": ({"retrain": "again"}, "retrain", "cannot be 'again'", "one of: reuse, resume, fresh"),
    "one fold": ({"folds": 1}, "folds.count", "cannot be 1", ""),
    "folds of no group": ({"folds": "group"}, "folds", "need a column", "add `by: COLUMN`"),
    "random folds by a column": ({"folds": {"kind": "random", "by": "x"}}, "folds", "at random do not look at 'x'", "stratified"),
    "folds of no kind by a column": ({"folds": {"by": "x"}}, "folds", "without a kind do not look at 'x'", "stratified"),
    "a kind of folds misspelt": ({"folds": {"kind": "tiem"}}, "folds.kind", "cannot be 'tiem'", "did you mean time?"),
    "no trial": ({"trials": 0}, "trials", "cannot be 0", ""),
    "no time": ({"minutes": 0}, "minutes", "cannot be 0", ""),
    "nobody at work": ({"parallel": 0}, "parallel", "cannot be 0", ""),
}


@pytest.mark.parametrize(("given", "key", "what", "mend"), FAULTS.values(), ids=FAULTS)
def test_a_fault_says_where_what_and_how_to_mend_it(given, key, what, mend):
    with pytest.raises(Unreadable) as caught:
        read(Search, given)
    (fault,) = caught.value.faults
    assert ".".join(map(str, fault.path)) == key
    assert what in fault.what
    assert mend in fault.mend


def test_a_choice_tells_true_from_one():
    assert read(Search, {"space": {"a": {"choice": [True, 1, "1"]}}}).space["a"].choice == (True, 1, "1")


def test_a_fault_in_the_file_has_its_line(tmp_path):
    head = "name: a\ndata: {rows: rows.csv}\nmodel: {task: binary, rows: rows, label: late}\n"
    (tmp_path / "towpath.yaml").write_text(head + "search:\n  space:\n    trees: {int: [400, 50]}\n")
    with pytest.raises(ProjectError, match="from 400 to 50") as caught:
        load(tmp_path, {})
    assert (caught.value.line, caught.value.key) == (6, "search.space.trees")
