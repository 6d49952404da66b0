"""Rails say what is taken, and nothing else: whoever follows them with a finger finds the graph again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath.report.graph import MOST_RAILS, Node, State, folded, in_order, in_words
from towpath.report.rails import rails

SIGN = "●"


@st.composite
def graphs(draw: st.DrawFn) -> list[Node]:
    """Up to fourteen nodes, each taking some of those before it."""
    found: list[Node] = []
    for number in range(draw(st.integers(1, 14))):
        names = [node.name for node in found]
        takes = draw(st.lists(st.sampled_from(names), max_size=3, unique=True)) if names else []
        found.append(Node(name=f"n{number}", state=State.EXECUTED, takes=tuple(takes)))
    return found


def followed(drawn: list[str], names: list[str], gap: int) -> dict[str, set[str]]:
    """What the signs take, read from the rails alone."""
    running: dict[int, str] = {}  # the value that leads down from a column
    taken: dict[str, set[str]] = {}
    for line, name in zip(drawn, names, strict=True):
        width = 1 + gap
        at = line.index(SIGN) // width
        signs = {place // width: line[place] for place in range(0, len(line), width)}
        joints = [place for place, sign in signs.items() if sign in "├┤┼╰╯┴"]
        for place in range(min([at, *joints]), max([at, *joints])):
            assert line[place * width + 1 : (place + 1) * width] == "─" * gap, "the line is broken"
        taken[name] = {running[place] for place in joints} | ({running[at]} if at in running else set())
        running = {place: one for place, one in running.items() if signs.get(place, " ") in "│├┤┼"} | {at: name}
    return taken


@given(graphs(), st.sampled_from([0, 1]))
def test_the_graph_can_be_read_from_its_rails(graph: list[Node], gap: int) -> None:
    order = in_order(graph)
    drawn = rails([(node.name, SIGN, node.takes) for node in order], gap=gap)
    assert followed(drawn, [node.name for node in order], gap) == {node.name: {*node.takes} for node in graph}


@given(graphs())
def test_each_node_stands_once_and_behind_what_it_takes(graph: list[Node]) -> None:
    order = [node.name for node in in_order(graph)]
    assert sorted(order) == sorted(node.name for node in graph)
    assert all(order.index(one) < order.index(node.name) for node in graph for one in node.takes)


@given(graphs(), st.integers(20, 160))
def test_no_line_is_longer_than_the_terminal_is_wide(graph: list[Node], width: int) -> None:
    assert max(map(len, in_words(in_order(graph), width).split("\n"))) <= width


@given(graphs())
def test_folding_loses_no_step_and_no_way(graph: list[Node]) -> None:
    few = folded(graph)
    names = {node.name for node in few}
    assert all(one in names for node in few for one in node.takes)
    assert sum(int(node.told.split()[0]) if node.told else 1 for node in few) == len(graph)


def part(name: str, *takes: str, state: State = State.EXECUTED, told: str = "") -> Node:
    return Node(name=name, state=state, takes=takes, told=told)


def test_a_pipeline_looks_so() -> None:
    graph = [
        part("flights", state=State.GIVEN, told="336,776 rows"),
        part("weather", state=State.GIVEN, told="26,115 rows"),
        part("clean", "flights", told="1.2 s"),
        part("plot", "clean", state=State.FAILED, told="raised IndexError: list index out of range"),
        part("rows", "clean", "weather", state=State.REUSED),
        part("training", "rows", state=State.NOT_REACHED),
    ]
    assert in_words(in_order(graph), 60).split("\n") == [
        "◇      flights   dataset      336,776 rows",
        "●      clean     executed     1.2 s",
        "├─✗    plot      failed       raised IndexError: list index…",
        "│   ◇  weather   dataset      26,115 rows",
        "○───╯  rows      reused",
        "·      training  not reached",
    ]


@pytest.mark.parametrize("width", [60, 100])
def test_what_is_alike_is_one_line_where_rails_have_no_room(width: int) -> None:
    months = [part(f"month[{number}]", "rows") for number in range(1, 40)]
    graph = [part("rows", state=State.GIVEN), *months, part("all", *(month.name for month in months))]
    lines = in_words(in_order(graph), width).split("\n")
    assert [line.split()[0] for line in lines] == ["◇", "●", "●"]
    assert lines[1].split("executed")[0].strip() == "●  month[1] … month[39]"
    assert "39 alike" in lines[1]


def test_where_nothing_is_alike_each_line_names_what_it_takes() -> None:
    firsts = [part(f"first_{number}", state=State.GIVEN) for number in range(MOST_RAILS + 2)]
    seconds = [part(f"second_{number}", one.name) for number, one in enumerate(firsts)]
    graph = [*firsts, *seconds, part("last", *(one.name for one in reversed(firsts)), *(one.name for one in seconds))]
    lines = in_words(graph, 120).split("\n")
    assert lines[-2].endswith("takes first_33")
    assert len(lines) == len(graph)


def test_a_thousand_steps_in_a_row_are_drawn() -> None:
    chain = [part("s0"), *(part(f"s{number}", f"s{number - 1}") for number in range(1, 1500))]
    assert len(in_words(in_order(chain), 80).split("\n")) == 1500
