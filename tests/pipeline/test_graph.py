"""The graph from signatures."""

from __future__ import annotations

from typing import Any

import pytest

from towpath.errors import UnknownName, UsageError
from towpath.pipeline.graph import Step, of_functions, plan


def rows(flights: Any, weather: Any) -> None: ...
def weather(raw_weather: Any) -> None: ...
def joined(rows: Any, flights: Any, *, limit: int = 3) -> None: ...
def unused(nothing: Any) -> None: ...
def a(b: Any) -> None: ...
def b(a: Any) -> None: ...
def star(*frames: Any) -> None: ...


FUNCTIONS = {function.__name__: function for function in (rows, weather, joined, unused, a, b, star)}
STEPS = of_functions(FUNCTIONS)


def test_each_step_comes_behind_what_it_needs_and_once() -> None:
    assert plan(["joined"], STEPS, ["flights", "raw_weather"], FUNCTIONS) == [
        Step.of("weather", ["raw_weather"]),
        Step.of("rows", ["flights", "weather"]),
        Step.of("joined", ["rows", "flights"]),
    ]


def test_a_dataset_needs_no_step() -> None:
    assert plan(["flights"], STEPS, ["flights"], FUNCTIONS) == []


def test_an_unknown_name_is_told_with_the_nearest_and_who_needs_it() -> None:
    with pytest.raises(UnknownName, match=r"needed by 'rows'.*'flights'") as caught:
        plan(["rows"], STEPS, ["flight", "raw_weather"], FUNCTIONS)
    assert "flight" in caught.value.mend


def test_a_circle_is_named() -> None:
    with pytest.raises(UsageError, match="a -> b -> a"):
        plan(["a"], STEPS, [], FUNCTIONS)


def test_one_name_for_two_things_is_refused() -> None:
    with pytest.raises(UsageError, match="'weather' is a dataset and a function"):
        plan(["rows"], STEPS, ["flights", "weather"], FUNCTIONS)


def test_a_parameter_that_names_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match=r"'star' takes \*frames"):
        plan(["star"], STEPS, [], FUNCTIONS)


def test_a_chain_may_be_longer_than_pythons_stack() -> None:
    steps = plan(["s4999"], lambda name: Step.of(name, [f"s{int(name[1:]) - 1}"] if name != "s0" else []), [])
    assert [step.name for step in steps] == [f"s{n}" for n in range(5000)]


def test_several_targets_share_what_they_need() -> None:
    assert [step.name for step in plan(["rows", "weather", "joined"], STEPS, ["flights", "raw_weather"], FUNCTIONS)] == [
        "weather",
        "rows",
        "joined",
    ]
