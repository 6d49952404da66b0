"""A pickle that does not tell which equal texts were one object."""

from __future__ import annotations

import pickle
import pickletools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from towpath.formats.pickles import dumps

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=30,
)


def apart(value):
    """The same with texts that are objects of their own, each."""
    if isinstance(value, str):
        return str(value.encode("utf-8", "surrogatepass"), "utf-8", "surrogatepass")
    if isinstance(value, dict):
        return {apart(key): apart(one) for key, one in value.items()}
    return type(value)(map(apart, value)) if isinstance(value, list | tuple) else value


@given(plain)
def test_it_comes_back_as_it_was(value):
    assert pickle.loads(dumps(value)) == value


@given(st.lists(st.text(min_size=2, max_size=3), max_size=5))
def test_one_text_twice_is_as_two_texts(texts):
    once, twice = [texts, [*texts], dict.fromkeys(texts, 1)], [texts, apart(texts), dict.fromkeys(apart(texts), 1)]
    assert dumps(once) == dumps(twice)


def test_what_else_is_one_object_stays_one():
    shared = [1, "a" * 70_000, "b"]
    held = {f"key {number}": [shared, number] for number in range(400)}  # more than a byte numbers, and more than a frame holds
    found = pickle.loads(dumps([held, shared, held]))
    assert found[0] is found[2]
    assert all(found[1] is one for one, _ in found[0].values())
    assert found[1] == shared
    loop: list[object] = []
    loop.append(loop)
    again = pickle.loads(dumps(loop))
    assert again[0] is again


@pytest.mark.parametrize(
    "made", [LogisticRegression(C=0.5), RandomForestClassifier(n_estimators=5, random_state=1)], ids=["linear", "forest"]
)
def test_a_model_answers_as_before_and_is_the_same_after_any_number_of_trips(made):
    random = np.random.default_rng(0)
    rows = random.normal(size=(200, 3))
    model = made.fit(rows, (rows[:, 0] > 0).astype(int))
    first = dumps(model)
    assert (pickle.loads(first).predict_proba(rows) == model.predict_proba(rows)).all()
    once = dumps(pickle.loads(first))
    assert dumps(pickle.loads(once)) == once
    assert "FRAME" not in {operation.name for operation, _, _ in pickletools.genops(first)}
