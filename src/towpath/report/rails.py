"""A graph as a column of signs with rails between them: one rail for each value that is still to be taken. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

Line = tuple[str, str, Sequence[str]]  # name, sign, and the names of those above that it takes


def rails(lines: Sequence[Line], *, gap: int = 1) -> list[str]:
    """The rails of each line, without its words. ``gap``: spaces between two rails.

    What a sign takes comes to it from above or from the side. A rail that turns into a line ends there; one that a line branches off
    goes on; one that a line passes under has nothing to do with it.

    >>> print("\\n".join(rails([("a", "◇", ()), ("b", "◇", ()), ("c", "●", ("a", "b")), ("d", "●", ("c",))])))
    ◇
    │ ◇
    ●─╯
    ●
    """
    left = Counter(name for _, _, takes in lines for name in set(takes))  # how often each value is still to be taken
    running: list[str | None] = []  # the value on each rail
    closed = -1  # where the line above stood, if nothing leads down from it
    drawn = []
    for name, sign, takes in lines:
        left.subtract(set(takes))
        joined = {place: left[one] > 0 for place, one in enumerate(running) if one and one in takes}
        at = _place(running, [place for place, goes_on in joined.items() if not goes_on], closed)
        running += [None] * (at + 1 - len(running))
        drawn.append(_drawn(running, sign, at, joined, gap))
        running = [None if joined.get(place) is False else one for place, one in enumerate(running)]
        running[at] = name if left[name] > 0 else None
        closed = at if running[at] is None else -1
        while running and running[-1] is None:
            running.pop()
    return drawn


def _place(running: Sequence[str | None], ending: Collection[int], closed: int) -> int:
    """Straight below a value that ends here, or where no rail is; not below a sign that it has nothing to do with."""
    if ending:
        return min(ending)
    return next(place for place in range(len(running) + 2) if place != closed and (place >= len(running) or running[place] is None))


def _drawn(running: Sequence[str | None], sign: str, at: int, joined: dict[int, bool], gap: int) -> str:
    first, last = min([at, *joined]), max([at, *joined])
    text = ""
    for place, one in enumerate(running):
        if place == at:
            text += sign
        elif place in joined:
            text += _joint(place, first, last, goes_on=joined[place])
        else:
            text += "│" if one else "─" if first < place < last else " "
        text += ("─" if first <= place < last else " ") * gap
    return text.rstrip()


def _joint(place: int, first: int, last: int, *, goes_on: bool) -> str:
    """Where a line meets a rail: at its left end, its right end, or in between."""
    left, right, between = "├┤┼" if goes_on else "╰╯┴"
    return left if place == first else right if place == last else between
