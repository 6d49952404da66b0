"""The picture of a search says what the trials say, and can be drawn of any trials."""

import pytest
from msgspec.structs import replace
from tests.search.hills import QUESTION, SPACE, hill

from towpath.evaluation.names import Direction
from towpath.project_search import Dimension
from towpath.search import Budget, State, Tried, search
from towpath.search.optuna_study import importance
from towpath.search.picture import drawn, picture, placed

LOWER = Direction.LOWER


@pytest.fixture(scope="module")
def trials():
    return search(QUESTION, hill, Budget(trials=40)).trials


def charts(trials, **changes):
    given = {"metric": "loss", "importance": {"x": 0.9, "kind": 0.1, "n": 0.0}, **changes}
    return picture(trials, SPACE, LOWER, **given).to_dict()["vconcat"]


def values(layer):
    return layer["data"]["values"]


def test_the_history_has_every_trial_and_its_line_never_gets_worse(trials):
    line, points = charts(trials)[0]["layer"][:2]
    assert [row["trial"] for row in values(points)] == [one.number + 1 for one in trials]
    best = [row["value"] for row in values(line)]
    assert best == sorted(best, reverse=True)
    assert best[-1] == min(one.value for one in trials if one.value is not None)
    assert {row["state"] for row in values(points)} == {"complete", "pruned"}


def test_the_line_rises_where_higher_is_better(trials):
    negative = [replace(one, values=tuple(-value for value in one.values)) for one in trials]
    line = picture(negative, SPACE, Direction.HIGHER, metric="auc", importance={}).to_dict()["vconcat"][0]["layer"][0]
    best = [row["value"] for row in values(line)]
    assert best == sorted(best)


def test_a_failed_trial_has_a_mark_and_no_point(trials):
    failed = Tried(number=40, parameters=trials[0].parameters, values=(0.1,), state=State.FAILED, because="ValueError")
    _, points, marks = charts([*trials, failed])[0]["layer"]
    assert 41 not in [row["trial"] for row in values(points)]
    assert [(row["trial"], row["because"]) for row in values(marks)] == [(41, "ValueError")]


def test_the_best_trial_is_the_darkest_line_through_its_parameters(trials):
    lines = values(charts(trials)[2]["layer"][1])
    best = min((one for one in trials if one.value is not None), key=lambda one: one.value)
    mine = {row["axis"]: row["place"] for row in lines if row["trial"] == best.number}
    assert {row["rank"] for row in lines if row["trial"] == best.number} == {1.0}
    assert mine == {"x": best.parameters["x"], "n": (best.parameters["n"] - 1) / 9, "kind": 0.0, "loss": 0.0}


def test_what_matters_is_found_and_what_does_not_is_not(trials):
    found = importance(trials, SPACE, LOWER)
    assert next(iter(found)) == "x"
    assert found["x"] > 0.7
    assert found["n"] < found["kind"]
    assert sum(found.values()) == pytest.approx(1)
    assert importance(trials, SPACE, LOWER) == found


@pytest.mark.parametrize("count", [0, 1])
def test_of_too_few_trials_nothing_is_said_to_matter(trials, count):
    assert importance(trials[:count], SPACE, LOWER) == {}
    assert importance([replace(one, values=(1.0,) * 3, state=State.COMPLETE) for one in trials], SPACE, LOWER) == {}


@pytest.mark.parametrize("form", ["png", "svg", "html"])
def test_it_can_be_drawn_in_each_form(trials, form):
    begins = {"png": b"\x89PNG", "svg": b"<svg", "html": b"<!DOCTYPE html>"}[form]
    assert drawn(trials, SPACE, LOWER, metric="loss", importance={"x": 1.0}, form=form).lstrip().startswith(begins)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_trials_can_be_drawn_too(trials, count):
    assert drawn(trials[:count], SPACE, LOWER, metric="loss", importance={}).startswith(b"\x89PNG")


def test_places_on_an_axis():
    assert [placed(Dimension(choice=(True, 1, "1")), one) for one in (True, 1, "1")] == [0.0, 0.5, 1.0]
    assert placed(Dimension(int=(3, 3)), 3) == placed(Dimension(choice=("only",)), "only") == 0.5
    assert placed(Dimension(int=(10, 1000), log=True), 100) == pytest.approx(0.5)
