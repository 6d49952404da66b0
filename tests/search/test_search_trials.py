"""A search finds what is there to be found, repeats, keeps to its budget, and records every trial."""

import sys
import time
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.search.hills import QUESTION, SPACE, deadly, hill, nap

from towpath.errors import Broken, Conflict, Refused, Unavailable, UsageError
from towpath.evaluation.names import Direction
from towpath.project_search import Dimension
from towpath.search import Budget, Question, State, Trial, search
from towpath.search.crews import Local
from towpath.search.spaces import within
from towpath.search.trial_log import TrialLog, opened, place, read
from towpath.search.trials import Began, apply

TRIALS = Budget(trials=30)
TINY = {"a": Dimension(int=(1, 4)), "b": Dimension(choice=(True, 1, "1"))}


@pytest.fixture
def workers_find_tests(monkeypatch):
    """A worker imports the objective's module by its name, and pytest has not put it where that is found."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2])


class Counted:
    """An objective that remembers what it was asked."""

    def __init__(self, objective=hill):
        self.objective, self.asked = objective, []

    def __call__(self, trial: Trial, fold: int) -> float:
        self.asked.append((trial.number, fold))
        return self.objective(trial, fold)


def without_times(trials):
    return [replace(one, seconds=0.0) for one in trials]


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "nsgaii"])
def test_each_sampler_finds_the_bottom_of_a_valley(sampler):
    found = search(replace(QUESTION, sampler=sampler, pruner="none"), hill, Budget(trials=60))
    assert found.parameters["kind"] == "good"
    assert abs(found.parameters["x"] - 0.3) < 0.1
    assert found.value == pytest.approx(hill(Trial(0, found.parameters), 1))
    assert len(found.trials) == 60


def test_tpe_learns_from_what_it_has_seen():
    """A tenth of the space is near the bottom: chance takes 3 of 30 trials there."""

    def near(sampler):
        trials = search(replace(QUESTION, sampler=sampler, pruner="none"), hill, Budget(trials=60)).trials[30:]
        return sum(abs(one.parameters["x"] - 0.3) < 0.1 and one.parameters["kind"] == "good" for one in trials)

    assert near("tpe") >= 10 > 8 > near("random")


def test_a_higher_value_is_better_where_it_is_said():
    def negative(trial, fold):
        return -hill(trial, fold)

    lower, higher = search(QUESTION, hill, TRIALS), search(replace(QUESTION, better=Direction.HIGHER), negative, TRIALS)
    assert lower.parameters == higher.parameters
    assert lower.value == -higher.value


@pytest.mark.parametrize("sampler", ["tpe", "random", "grid", "qmc"])
@pytest.mark.parametrize("pruner", ["median", "none"])
def test_the_same_seed_gives_the_same_trials(sampler, pruner):
    question = replace(QUESTION, sampler=sampler, pruner=pruner, space=TINY if sampler == "grid" else SPACE)
    objective = tiny if sampler == "grid" else hill
    first, second = search(question, objective, TRIALS), search(question, objective, TRIALS)
    assert without_times(first.trials) == without_times(second.trials)
    other = search(replace(question, seed=8), objective, TRIALS)
    assert [one.parameters for one in other.trials] != [one.parameters for one in first.trials]


def tiny(trial: Trial, fold: int) -> float:
    return float(trial.parameters["a"]) + fold


@pytest.mark.parametrize("pruner", ["none", "median"])
def test_a_grid_is_walked_once_and_then_it_ends(pruner):
    found = search(Question(space=TINY, better=Direction.LOWER, sampler="grid", pruner=pruner), tiny, Budget(trials=100))
    assert len({(one.parameters["a"], repr(one.parameters["b"])) for one in found.trials}) == len(found.trials) == 12
    assert found.parameters["a"] == 1


def test_a_grid_that_ends_early_has_seen_far_corners():
    question = Question(space={name: Dimension(int=(1, 1000)) for name in "abcdef"}, better=Direction.LOWER, sampler="grid")
    found = search(question, lambda trial, fold: 0.0, Budget(trials=50))
    for name in "abcdef":
        seen = [one.parameters[name] for one in found.trials]
        assert min(seen) < 250
        assert max(seen) > 750


def test_bad_trials_are_given_up_after_a_fold_and_the_best_never_is():
    asked = Counted()
    found = search(QUESTION, asked, TRIALS)
    pruned = [one for one in found.trials if one.state is State.PRUNED]
    assert len(pruned) >= 5
    assert all(0 < len(one.values) < 3 and one.value is None for one in pruned)
    assert len(asked.asked) == sum(len(one.values) for one in found.trials) < 90
    assert min(one.value for one in found.trials if one.value is not None) == found.value


@pytest.mark.parametrize("pruner", ["hyperband", "halving", "wilcoxon"])
def test_the_other_pruners_prune_and_repeat(pruner):
    question = replace(QUESTION, pruner=pruner, folds=8)
    first, second = search(question, hill, TRIALS), search(question, hill, TRIALS)
    assert without_times(first.trials) == without_times(second.trials)
    assert any(one.state is State.PRUNED for one in first.trials)


def test_minutes_are_counted_by_the_given_clock():
    now = [100.0]

    def ten_seconds(trial, fold):
        now[0] += 10
        return hill(trial, fold)

    found = search(replace(QUESTION, pruner="none"), ten_seconds, Budget(seconds=95), clock=lambda: now[0])
    assert len(found.trials) == 4  # they began at 0, 30, 60 and 90 s
    assert all(len(one.values) == 3 for one in found.trials)


def test_one_trial_is_made_however_short_the_time(tmp_path):
    now = iter(range(0, 10**9, 1000))
    assert len(search(QUESTION, hill, Budget(seconds=1e-9), clock=lambda: next(now)).trials) == 1


def test_the_time_of_an_earlier_process_counts(tmp_path):
    now = [0.0]

    def ten_seconds(trial, fold):
        now[0] += 10
        return hill(trial, fold)

    question, path = replace(QUESTION, pruner="none"), tmp_path / "trials.jsonl"
    search(question, ten_seconds, Budget(seconds=50), path=path, clock=lambda: now[0])
    now[0] = 12345.0  # another boot
    found = search(question, ten_seconds, Budget(seconds=95), path=path, clock=lambda: now[0])
    assert len(found.trials) == 4


def test_nothing_that_was_measured_is_measured_again(tmp_path):
    path, asked = tmp_path / "trials.jsonl", Counted()
    half = search(QUESTION, asked, Budget(trials=15), path=path)
    before = len(asked.asked)
    whole = search(QUESTION, asked, TRIALS, path=path)
    assert whole.trials[:15] == half.trials
    assert len(set(asked.asked)) == len(asked.asked) > before
    assert without_times(whole.trials) == without_times(search(QUESTION, hill, TRIALS).trials)


def test_the_same_parameters_are_measured_once():
    asked = Counted(tiny)
    question = Question(space=TINY, better=Direction.LOWER, folds=2, sampler="random")
    found = search(question, asked, Budget(trials=60))
    assert len(found.trials) == 60
    assert len(asked.asked) <= 2 * 12
    assert all(len(one.values) == 2 for one in found.trials)


def test_the_champions_parameters_come_first_and_those_outside_are_passed_over():
    champion, outside = {"x": 0.31, "n": 3, "kind": "good", "more": 1}, {"x": 7.0, "n": 3, "kind": "good"}
    found = search(QUESTION, hill, Budget(trials=5), first=[outside, champion])
    assert found.trials[0].parameters == {"x": 0.31, "n": 3, "kind": "good"}
    assert found.value <= hill(Trial(0, found.trials[0].parameters), 1)


def test_proposals_learn_from_an_earlier_search_and_none_of_its_trials_can_win():
    before = search(replace(QUESTION, pruner="none"), hill, Budget(trials=40))
    after = search(replace(QUESTION, pruner="none", seed=1), hill, Budget(trials=10), earlier=before.trials)
    cold = search(replace(QUESTION, pruner="none", seed=1), hill, Budget(trials=10))
    assert [one.number for one in after.trials] == list(range(10))

    def near(found):
        return sum(abs(one.parameters["x"] - 0.3) < 0.1 and one.parameters["kind"] == "good" for one in found.trials)

    assert near(after) >= 2 + near(cold)


def broken(trial: Trial, fold: int) -> float:
    if trial.parameters["kind"] == "bad":
        raise ValueError("no such kind\nin the second line")
    return float("nan") if trial.parameters["n"] == 1 else hill(trial, fold)


def test_a_trial_that_fails_says_why_and_the_others_go_on():
    found = search(QUESTION, broken, TRIALS)
    reasons = {one.because for one in found.trials if one.state is State.FAILED}
    assert "fold 0: ValueError: no such kind" in reasons
    assert "fold 0: the value is nan" in reasons
    assert found.parameters["kind"] == "good"


def test_when_every_trial_fails_the_first_reason_is_told_and_the_budget_is_not_wasted():
    def never(trial, fold):
        raise KeyError("late")

    asked = Counted(never)
    with pytest.raises(Refused, match=r"none of 5 trials gave a value: fold 0: KeyError: 'late'"):
        search(QUESTION, asked, Budget(trials=1000))
    assert len(asked.asked) == 5


def test_several_at_a_time_make_all_trials_once_and_take_less_time(workers_find_tests):
    begin = time.perf_counter()
    found = search(replace(QUESTION, pruner="none"), nap, Budget(trials=12), crew=partial(Local, slots=4))
    took = time.perf_counter() - begin
    assert [one.number for one in found.trials] == list(range(12))
    assert all(one.state is State.COMPLETE for one in found.trials)
    assert took < 0.8 * sum(one.seconds for one in found.trials)


def test_a_worker_that_dies_takes_its_trial_with_it_and_no_other(workers_find_tests):
    found = search(replace(QUESTION, pruner="none"), deadly, Budget(trials=14), crew=partial(Local, slots=2))
    for one in found.trials:
        if one.parameters["kind"] == "bad":
            assert "ended by signal 9" in one.because
        elif one.parameters["n"] == 2:
            assert "ended with exit code 3" in one.because
        else:
            assert one.state is State.COMPLETE
    assert {one.state for one in found.trials} == {State.COMPLETE, State.FAILED}


def test_an_objective_that_cannot_travel_is_told_with_the_way_on():
    with pytest.raises(UsageError, match="cannot be sent to another process") as caught:
        search(QUESTION, lambda trial, fold: 0.0, TRIALS, crew=partial(Local, slots=2))
    assert "parallel: 1" in caught.value.mend


def test_an_objective_that_workers_cannot_import_is_told():
    assert str(Path(__file__).parents[2]) not in sys.path
    with pytest.raises(Refused, match="the objective cannot be loaded: ModuleNotFoundError"):
        search(QUESTION, hill, TRIALS, crew=partial(Local, slots=2))


@pytest.mark.parametrize(("sampler", "library"), [("cmaes", "cmaes"), ("gp", "torch")])
def test_a_sampler_without_its_library_is_told_with_the_way_on(sampler, library):
    pytest.importorskip("optuna")
    try:
        found = search(replace(QUESTION, sampler=sampler), hill, Budget(trials=3))
    except UsageError as fault:
        assert f"needs {library}" in fault.what  # noqa: PT017 - it may be installed
    else:
        assert len(found.trials) == 3


def test_two_processes_do_not_search_in_one_place(tmp_path):
    path = tmp_path / "trials.jsonl"
    with opened(path, QUESTION), pytest.raises(Conflict, match="another process searches"):
        search(QUESTION, hill, TRIALS, path=path)


def test_trials_of_another_question_are_not_mixed_in(tmp_path):
    path = tmp_path / "trials.jsonl"
    search(QUESTION, hill, Budget(trials=2), path=path)
    with pytest.raises(UsageError, match="the trials of another search"):
        search(replace(QUESTION, about="other rows"), hill, TRIALS, path=path)
    assert place(tmp_path, QUESTION) != place(tmp_path, replace(QUESTION, about="other rows"))


def test_every_cut_of_the_file_is_gone_on_from(tmp_path):
    """A kill may cut the file at any byte: what comes of it is what would have come without."""
    question = replace(QUESTION, folds=2)
    path, cut = tmp_path / "trials.jsonl", tmp_path / "cut.jsonl"
    whole = search(question, hill, Budget(trials=12), path=path)
    text = path.read_bytes()
    for length in [*range(0, len(text), 131), len(text) - 1]:
        cut.write_bytes(text[:length])
        found = search(question, hill, Budget(trials=12), path=cut)
        assert without_times(found.trials) == without_times(whole.trials), length


def test_an_interrupted_search_goes_on(tmp_path):
    path, left = tmp_path / "trials.jsonl", [20]

    def impatient(trial, fold):
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return hill(trial, fold)

    with pytest.raises(KeyboardInterrupt):
        search(QUESTION, impatient, TRIALS, path=path)
    assert without_times(search(QUESTION, impatient, TRIALS, path=path).trials) == without_times(search(QUESTION, hill, TRIALS).trials)


def test_a_full_disk_is_told_with_the_way_on():
    with open("/dev/full", "ab", buffering=0) as full, pytest.raises(Unavailable, match="No space left on device") as caught:
        TrialLog(full).tell(Began(number=0, parameters={}, at=0.0))
    assert "make room" in caught.value.mend


def test_the_file_tells_all_in_order(tmp_path):
    path = tmp_path / "trials.jsonl"
    found = search(QUESTION, broken, TRIALS, path=path)
    question, told = read(path)
    trials = {}
    for one in told:
        apply(trials, one)
    assert question == QUESTION
    assert tuple(trials.values()) == found.trials
    assert all(before.at <= after.at for before, after in pairwise(told))
    assert isinstance(told[0], Began)


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "trials.jsonl"
    path.write_text("something else\n")
    with pytest.raises(Broken, match="holds no trials") as caught:
        search(QUESTION, hill, TRIALS, path=path)
    assert "delete it" in caught.value.mend


STEPS = {
    "tenths": Dimension(float=(0, 0.3), step=0.1),
    "thirds": Dimension(float=(0, 1), step=0.3),
    "threes": Dimension(int=(1, 9), step=3),
    "one": Dimension(float=(0.5, 0.5)),
    "told": Dimension(choice=(True, 1, "1")),
}


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "nsgaii"])
def test_steps_are_kept_to_and_true_is_not_one(sampler, tmp_path):
    def climbed(trial, fold):
        return float(trial.parameters["tenths"]) + trial.parameters["threes"] + (trial.parameters["told"] == "1")

    question, path = Question(space=STEPS, better=Direction.HIGHER, sampler=sampler), tmp_path / "trials.jsonl"
    search(question, climbed, Budget(trials=20), path=path)
    found = search(question, climbed, Budget(trials=60), path=path)
    for name, values in (("tenths", {0, 1, 2, 3}), ("thirds", {0, 3, 6, 9})):
        assert {round(10 * one.parameters[name], 6) for one in found.trials} == values
    assert {one.parameters["threes"] for one in found.trials} == {1, 4, 7}
    assert {repr(one.parameters["told"]) for one in found.trials} == {"True", "1", "'1'"}
    assert all(within(STEPS, one.parameters) for one in found.trials)
    if sampler in ("tpe", "random"):
        assert without_times(found.trials) == without_times(search(question, climbed, Budget(trials=60)).trials)


def test_what_lies_in_a_space():
    assert within(SPACE, {"x": 1, "n": 10, "kind": "bad"}) == {"x": 1, "n": 10, "kind": "bad"}
    for wrong in ({"x": 1.01}, {"n": 2.0}, {"n": True}, {"kind": "worse"}):
        assert within(SPACE, {"x": 0.5, "n": 3, "kind": "good", **wrong}) is None
    assert within(SPACE, {"x": 0.5}) is None
