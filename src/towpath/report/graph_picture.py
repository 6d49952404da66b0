"""The pipeline of one run as a picture: a box for each part, in the colour of its state, and the ways that values take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import pairwise
from typing import Any, NamedTuple

from towpath.report.graph import Node, State
from towpath.report.layers import Laid, Place, laid
from towpath.report.picture import BLUE, GREEN, GREY, INK, PALE, RED, SOFT, Form, dressed, written

HIGH, NARROW, WIDE, LETTER = 44.0, 128.0, 250.0, 7.0  # pixels: a box, and a letter of its name
GAPS = {True: (52.0, 14.0), False: (20.0, 40.0)}  # between boxes, to the right and down, where the graph runs rightwards, or down
LANDSCAPE = 1.6
SMOOTH = 16  # pieces of a curve
ARROW = 7.0
_COLOURS = {
    State.GIVEN: ("#f3f5f7", GREY),
    State.EXECUTED: (PALE, BLUE),
    State.REUSED: ("#ffffff", BLUE),
    State.PASSED: ("#dcf1e7", GREEN),
    State.UNDECIDED: ("#fbecd2", "#e0a030"),
    State.FAILED: ("#f8dfdf", RED),
    State.NOT_REACHED: ("#ffffff", "#d5dade"),
}


class _Sheet(NamedTuple):
    """From places to pixels. ``box``: how wide a box is."""

    laid: Laid
    box: float
    rightwards: bool

    @property
    def room(self) -> tuple[float, float]:
        right, down = GAPS[self.rightwards]
        return self.box + right, HIGH + down

    @property
    def size(self) -> tuple[float, float]:
        wide, high = self.room
        right, down = (self.laid.depth, self.laid.breadth) if self.rightwards else (self.laid.breadth, self.laid.depth)
        return right * wide, down * high

    def middle(self, place: Place) -> tuple[float, float]:
        wide, high = self.room
        right, down = (place.layer, place.across) if self.rightwards else (place.across, place.layer)
        return (right + 0.5) * wide, (down + 0.5) * high


def drawn(graph: Sequence[Node], title: str, subtitle: Sequence[str], form: Form) -> bytes:
    """The picture as a file of this form.

    Raises:
        ModuleNotFoundError: the extra ``plots`` is not installed.
    """
    return written(picture(graph, title, subtitle), form)


def picture(graph: Sequence[Node], title: str, subtitle: Sequence[str]) -> Any:
    """The picture as an Altair chart; it runs rightwards or down, whichever fits a page better."""
    altair = import_module("altair")
    places = laid({node.name: node.takes for node in graph})
    box = min(WIDE, max(NARROW, *(LETTER * max(len(node.name), len(_told(node)) * 0.9) + 26 for node in graph)))
    sheet = min((_Sheet(places, box, way) for way in (True, False)), key=lambda one: max(one.size[0] / LANDSCAPE, one.size[1]))
    layers = [*_edges(altair, places, sheet), *_boxes(altair, graph, sheet)]
    width, height = sheet.size
    head = altair.Title(title, subtitle=list(subtitle), fontSize=18, subtitleFontSize=12, offset=22)
    return dressed(altair.layer(*layers, title=head, width=width, height=height)).configure_axis(disable=True)


def _chart(altair: Any, sheet: _Sheet, rows: Sequence[dict[str, Any]]) -> Any:
    width, height = sheet.size
    return altair.Chart(altair.Data(values=list(rows))).encode(
        x=altair.X("x:Q", title=None, scale=altair.Scale(domain=[0, width], nice=False)),
        y=altair.Y("y:Q", title=None, scale=altair.Scale(domain=[height, 0], nice=False)),
    )


def _boxes(altair: Any, graph: Sequence[Node], sheet: _Sheet) -> Iterator[Any]:
    rows = [_box(node, sheet) for node in graph]
    colours = {name: altair.Color(f"{name}:N", scale=None, legend=None) for name in ("fill", "stroke", "ink")}
    ends = {"x2": "x2:Q", "y2": "y2:Q"}
    told = altair.Tooltip(["name:N", "told:N"])
    yield (
        _chart(altair, sheet, rows)
        .mark_rect(cornerRadius=6, strokeWidth=1.4)
        .encode(**ends, fill=colours["fill"], stroke=colours["stroke"], tooltip=told.shorthand)
    )
    for text, size, weight, down, colour in (("name:N", 12, "bold", -8, colours["ink"]), ("told:N", 11, "normal", 9, altair.value(SOFT))):
        middle = HIGH / 2 + down
        yield (
            _chart(altair, sheet, rows)
            .mark_text(align="left", baseline="middle", dx=11, dy=middle, fontSize=size, fontWeight=weight, limit=sheet.box - 22)
            .encode(text=text, color=colour)
        )


def _box(node: Node, sheet: _Sheet) -> dict[str, Any]:
    x, y = sheet.middle(sheet.laid.nodes[node.name])
    fill, stroke = _COLOURS[node.state]
    ink = SOFT if node.state is State.NOT_REACHED else INK
    corners = {"x": x - sheet.box / 2, "y": y - HIGH / 2, "x2": x + sheet.box / 2, "y2": y + HIGH / 2}
    return {**corners, "name": node.name, "told": _told(node), "fill": fill, "stroke": stroke, "ink": ink}


def _told(node: Node) -> str:
    return node.told if node.state is State.GIVEN else " · ".join(filter(None, [node.state, node.told]))


def _edges(altair: Any, places: Laid, sheet: _Sheet) -> Iterator[Any]:
    curves = [[*_curve(way, sheet)] for way in places.edges.values()]
    rows = [{"edge": number, "step": step, "x": x, "y": y} for number, points in enumerate(curves) for step, (x, y) in enumerate(points)]
    lines = _chart(altair, sheet, rows).mark_line(color="#9aa5b1", strokeWidth=1.4)
    yield lines.encode(detail="edge:N", order="step:Q")
    heads = [{"x": points[-1][0], "y": points[-1][1]} for points in curves]
    shape = "triangle-right" if sheet.rightwards else "triangle-down"
    yield _chart(altair, sheet, heads).mark_point(shape=shape, filled=True, color="#9aa5b1", opacity=1, size=44)


def _curve(way: Sequence[Place], sheet: _Sheet) -> Iterator[tuple[float, float]]:
    """From box to box, bent between layers only: where it passes one, it runs straight beside the boxes."""
    half = (sheet.box if sheet.rightwards else HIGH) / 2
    for number, (place, after) in enumerate(pairwise(way)):
        one, other = (sheet.middle(end) if sheet.rightwards else sheet.middle(end)[::-1] for end in (place, after))
        room = ARROW / 2 if number == len(way) - 2 else 0.0
        for along, across in _eased((one[0] + half, one[1]), (other[0] - half - room, other[1])):
            yield (along, across) if sheet.rightwards else (across, along)


def _eased(one: tuple[float, float], other: tuple[float, float]) -> Iterator[tuple[float, float]]:
    """Points of a curve that leaves and arrives straight."""
    for step in range(SMOOTH + 1):
        share = step / SMOOTH
        eased = share * share * (3 - 2 * share)
        yield one[0] + share * (other[0] - one[0]), one[1] + eased * (other[1] - one[1])
