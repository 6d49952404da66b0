"""The graph from signatures."""

from __future__ import annotations

from typing import Any

import pytest

from towpath.errors import UnknownName, UsageError
from towpath.pipeline.graph import Step, plan


def rows(flights: Any, weather: Any) -> None: ...
def weather(raw_weather: Any) -> None: ...
def joined(rows: Any, flights: Any, *, limit: int = 3) -> None: ...
def unused(nothing: Any) -> None: ...
def a(b: Any) -> None: ...
def b(a: Any) -> None: ...
def star(*frames: Any) -> None: ...


FUNCTIONS = {function.__name__: function for function in (rows, weather, joined, unused, a, b, star)}


def test_each_step_comes_behind_what_it_needs_and_once() -> None:
    assert plan("joined", FUNCTIONS, ["flights", "raw_weather"]) == [
        Step("weather", ("raw_weather",)),
        Step("rows", ("flights", "weather")),
        Step("joined", ("rows", "flights")),
    ]


def test_a_dataset_needs_no_step() -> None:
    assert plan("flights", FUNCTIONS, ["flights"]) == []


def test_an_unknown_name_is_told_with_the_nearest_and_who_needs_it() -> None:
    with pytest.raises(UnknownName, match=r"needed by 'rows'.*'flights'") as caught:
        plan("rows", FUNCTIONS, ["flight", "raw_weather"])
    assert "flight" in caught.value.mend


def test_a_circle_is_named() -> None:
    with pytest.raises(UsageError, match="a -> b -> a"):
        plan("a", FUNCTIONS, [])


def test_one_name_for_two_things_is_refused() -> None:
    with pytest.raises(UsageError, match="'weather' is a dataset and a function"):
        plan("rows", FUNCTIONS, ["flights", "weather"])


def test_a_parameter_that_names_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match=r"'star' takes \*frames"):
        plan("star", FUNCTIONS, [])
