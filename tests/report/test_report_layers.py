"""Where the parts of a pipeline stand on a picture."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from towpath.report.layers import BEND, crossings, laid

Takes = dict[str, tuple[str, ...]]


@st.composite
def graphs(draw: st.DrawFn) -> Takes:
    takes: Takes = {}
    for number in range(draw(st.integers(1, 12))):
        takes[f"n{number}"] = tuple(draw(st.lists(st.sampled_from([*takes]), max_size=3, unique=True))) if takes else ()
    return takes


@given(graphs())
def test_values_go_forward_one_layer_at_a_time(takes: Takes) -> None:
    found = laid(takes)
    assert found.edges.keys() == {(one, name) for name, inputs in takes.items() for one in inputs}
    for (one, other), way in found.edges.items():
        assert (way[0], way[-1]) == (found.nodes[one], found.nodes[other])
        assert all(after.layer == place.layer + 1 for place, after in pairwise(way))


@given(graphs())
def test_nothing_lies_on_anything_else(takes: Takes) -> None:
    found = laid(takes)
    for one, other in combinations(found.nodes.values(), 2):
        assert one.layer != other.layer or abs(one.across - other.across) >= 1 - 0.01
    bends = [place for way in found.edges.values() for place in way[1:-1]]
    for bend in bends:
        for place in found.nodes.values():
            assert bend.layer != place.layer or abs(bend.across - place.across) >= (1 + BEND) / 2 - 0.01
    assert min(place.across for place in (*found.nodes.values(), *bends)) == 0


def test_a_chain_is_straight_also_below_a_fork() -> None:
    found = laid({"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "e": ("d",), "f": ("e",), "g": ("f",)})
    assert {found.nodes[name].across for name in "defg"} == {found.nodes["d"].across}
    assert found.nodes["a"].across == 0.5
    assert (found.depth, found.breadth) == (6, 2)


def test_a_tangle_that_has_no_need_to_be_is_undone() -> None:
    takes = {"a": (), "b": (), "c": (), "x": ("c",), "y": ("b",), "z": ("a",), "end": ("x", "y", "z")}
    nodes = laid(takes).nodes
    layers = [sorted((name for name in nodes if nodes[name].layer == layer), key=lambda name: nodes[name].across) for layer in range(3)]
    assert crossings(layers, {"a": ["z"], "b": ["y"], "c": ["x"]}) == 0


def test_a_dataset_stands_right_before_whoever_takes_it_first() -> None:
    nodes = laid({"a": (), "late": (), "b": ("a",), "c": ("b",), "d": ("c", "late")}).nodes
    assert nodes["late"].layer == nodes["c"].layer == 2


def test_crossings_are_counted() -> None:
    assert crossings([["a", "b"], ["x", "y"]], {"a": ["y"], "b": ["x"]}) == 1
    assert crossings([["a", "b"], ["x", "y"]], {"a": ["x", "y"], "b": ["x", "y"]}) == 1
    assert crossings([["a", "b"], ["x", "y"]], {"a": ["x"], "b": ["y"]}) == 0
