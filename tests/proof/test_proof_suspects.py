"""Where a difference is suspected to come from, and how far values are apart."""

from __future__ import annotations

from itertools import count
from math import inf, nan

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath.digest import Digest
from towpath.errors import Unavailable
from towpath.pipeline.codecs import keep
from towpath.pipeline.reasons import differences
from towpath.proof.distances import far
from towpath.proof.suspects import ONE_CORE, by_causes, by_execution
from towpath.store.memory import MemoryStore

OLD, NEW = Digest("a" * 64), Digest("b" * 64)
BASE = {"code": {"m:f": "1"}, "parameters": {"c": 1}, "inputs": {"rides": OLD}, "seed": 1, "distributions": {"polars": "1"}}


@pytest.mark.parametrize(
    ("changed", "layer", "said"),
    [
        ({"inputs": {"rides": NEW}, "distributions": {"polars": "2"}}, "data", "input rides has content bbbbbbbb, was aaaaaaaa"),
        ({"code": {"m:f": "2"}, "seed": 2}, "code", "code: f of m changed"),
        ({"seed": 2}, "seed", "seed is 2, was 1"),
        ({"parameters": {"c": 2}}, "parameters", "parameter c is 2, was 1"),
        ({"distributions": {"polars": "2"}}, "distributions", "distribution polars is 2, was 1"),
    ],
)
def test_a_layer_that_differs_is_named_first(changed, layer, said):
    found = by_causes(differences(BASE, {**BASE, **changed}))
    assert (found.layer, found.because) == (layer, said)


def test_what_is_another_each_time_lacks_a_seed():
    number = count()
    assert by_execution(lambda environ: Digest(f"{next(number):064}"), OLD, NEW, "").layer == "seed"


def test_what_is_the_same_on_one_core_only_hangs_on_threads():
    number = count()
    assert by_execution(lambda environ: OLD if environ == ONE_CORE else Digest(f"{next(number):064}"), OLD, NEW, "").layer == "threads"
    assert by_execution(lambda environ: OLD if environ == ONE_CORE else NEW, OLD, NEW, "").layer == "threads"


def test_what_is_the_same_each_time_here_is_not_explained():
    found = by_execution(lambda environ: NEW, OLD, NEW, "; it reads a file")
    assert (found.layer, found.because.endswith("; it reads a file")) == ("unknown", True)


def test_a_step_that_fails_the_next_time_is_told():
    def fails(environ):
        raise Unavailable("the disk is full", mend="")

    assert "the disk is full" in by_execution(fails, OLD, NEW, "").because


def apart(one, other) -> float:
    store = MemoryStore()
    return far(keep(one, store, step="a"), keep(other, store, step="a"), store)


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        (pl.DataFrame({"a": [1.0, None, nan]}), pl.DataFrame({"a": [1.5, None, nan]}), 0.5 / 1.5),
        (pl.DataFrame({"a": [1.0, None]}), pl.DataFrame({"a": [1.0, 2.0]}), inf),
        (pl.DataFrame({"a": [1, 2]}), pl.DataFrame({"a": [1, 3]}), inf),
        (pl.DataFrame({"a": [1.0]}), pl.DataFrame({"b": [1.0]}), inf),
        (pl.DataFrame({"a": ["x"], "b": [0.0]}), pl.DataFrame({"a": ["x"], "b": [0.25]}), 0.25),
        (np.array([1.0, nan, inf]), np.array([1.0, nan, inf]), 0.0),
        (np.array([1.0, 2.0]), np.array([1.0, nan]), inf),
        (np.array([1, 2]), np.array([1, 3]), inf),
        ({"a": [1.0, 2]}, {"a": [1.25, 2]}, 0.2),
        ({"a": 1}, {"b": 1}, inf),
        ([1, 2], [1, 2, 3], inf),
        ([1], [True], inf),
        ("a", "b", inf),
        ("1.0", {"a": 1}, inf),
    ],
)
def test_how_far_values_are_apart(one, other, wanted):
    assert apart(one, other) == pytest.approx(wanted)


@given(st.lists(st.floats(allow_infinity=False), min_size=1, max_size=5))
def test_what_is_equal_is_not_apart_and_apart_is_the_same_both_ways(values):
    assert apart(values, values) == 0 or any(value != value for value in values)
    moved = [value + 1 for value in values]
    assert apart(np.array(values), np.array(moved)) == apart(np.array(moved), np.array(values))
