"""What every crew promises: each task is answered once, a fault is a sentence, and closing ends all that is under way."""

import time
from functools import partial
from pathlib import Path

import psutil
import pytest
from tests.search.hills import deadly, hill, nap

from towpath.search.crews import Alone, Local
from towpath.search.port import Task, Trial

CREWS = {"alone": Alone, "local, one": partial(Local, slots=1), "local, three": partial(Local, slots=3)}
PARAMETERS = {"x": 0.5, "n": 1, "kind": "good"}


@pytest.fixture(params=CREWS.values(), ids=CREWS.keys())
def crew_of(request, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    opened = []

    def open_(objective):
        opened.append(request.param(objective))
        return opened[-1]

    yield open_
    for crew in opened:
        crew.close()


def tasks(count, **changes):
    return [Task(Trial(number, {**PARAMETERS, "x": number / 10, **changes}), number % 3) for number in range(count)]


def answered(crew, asked):
    """All answers, with never more under way than there are slots."""
    waiting, answers = list(asked), []
    while len(answers) < len(asked):
        while waiting and len(asked) - len(waiting) - len(answers) < crew.slots:
            crew.submit(waiting.pop(0))
        answers += crew.wait()
    return answers


def test_each_task_is_answered_once_with_its_value(crew_of):
    asked = tasks(9)
    answers = answered(crew_of(hill), asked)
    assert sorted(one.task.trial.number for one in answers) == list(range(9))
    for one in answers:
        assert one.value == hill(one.task.trial, one.task.fold)
        assert one.fault == ""
        assert one.seconds >= 0
        assert one.task in asked


def test_a_fault_is_a_sentence_and_the_crew_goes_on(crew_of):
    crew = crew_of(hill)
    (failed,) = answered(crew, tasks(1, x="no number"))
    assert failed.fault.startswith("fold 0: TypeError: ")
    assert "\n" not in failed.fault
    (fine,) = answered(crew, tasks(1))
    assert fine.fault == ""


def test_seconds_are_those_of_the_objective(crew_of):
    (one,) = answered(crew_of(nap), tasks(1))
    assert one.seconds >= 0.1


def test_closing_ends_what_is_under_way_and_may_be_done_twice(crew_of):
    crew = crew_of(nap)
    crew.submit(tasks(1)[0])
    begin = time.monotonic()
    crew.close()
    crew.close()
    assert time.monotonic() - begin < 5
    assert [one for one in psutil.Process().children() if "spawn_main" in " ".join(one.cmdline())] == []


@pytest.mark.parametrize("slots", [1, 3])
def test_a_worker_that_died_is_replaced(slots, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    crew = Local(deadly, slots)
    answers = answered(crew, [*tasks(3, kind="bad"), *tasks(3)])
    crew.close()
    assert ["ended by signal 9" in one.fault for one in sorted(answers, key=lambda one: one.fault)] == [False] * 3 + [True] * 3
