"""Drift: which columns look otherwise than in training, by how much; and when that is worth an alarm.

The effect is the share of rows that lies elsewhere than in training, beyond what chance and the differences among
training's own windows explain. It is the same for every type, and it ranks. When to alarm is a bet (``bet.py``), made anew
each window on each column, with two promises where no column has moved by more than its tolerance:

    at most ``false_alarms`` alarms are made in its period (``1/year``), over all columns together, however often one looks;
    a column alarms once for one champion.

The promise is exact for independent rows. Rows that hang together count as what training showed a window to be worth
(``worth.py``), which holds as far as production hangs together as training did. A bet needs a window to learn from and one to win on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import ArrayLike, NDArray

from towpath.monitor.bet import HALF_LIVES, Floats, by_chance, distance, payoff, smoothed, spread_by_chance, wealth_next
from towpath.monitor.findings import Finding
from towpath.monitor.profile import SCORE, Column, Counts, Logical, Profile
from towpath.monitor.worth import counts_as
from towpath.quantities import Rate

Places = NDArray[np.int64]

LEAST_EFFECT = 0.02  # a column whose rows moved by less than this is harmless


class ColumnDrift(msgspec.Struct, frozen=True, kw_only=True):
    """A column beside its training.

    Attributes:
        effect: the share of rows that lies elsewhere than in training, beyond what chance explains; 0 to 1.
        share: the share that lies elsewhere, chance included.
        chance: the share that would lie elsewhere on average if nothing had moved.
        rows: that were looked at; of them as many independent ones as ``counts_as``.
        because: where most rows came to, or went from, in words.
    """

    column: str
    effect: float
    share: float
    chance: float
    rows: float
    counts_as: float
    because: str


class Bets(msgspec.Struct, frozen=True, kw_only=True):
    """The bets on one column: what they learnt, one a half-life, and what they won, one a view and half-life. Closed when ``alarmed``."""

    past: tuple[tuple[float, ...], ...]
    wealth: tuple[float, ...] = (0.0,) * (2 * len(HALF_LIVES))
    rows: float = 0.0
    alarmed: bool = False


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """The drift watch over one champion: a fold of its windows, so it can be made again from the journal at any time."""

    version: int | None = None
    windows: int = 0
    until: datetime | None = None
    columns: dict[str, Bets] = {}


def drift(profile: Profile, counts: Counts, *, windows: int = 1, than: str = "in training") -> list[ColumnDrift]:
    """Every counted column, the one that moved most first.

    Args:
        windows: how many of the profile's windows the counts are of.
        than: what the profile is of, in words.
    """
    found = []
    for name, values in counts.columns.items():
        column, rows = profile.columns[name], sum(values)
        independent = windows * counts_as(rows / windows, column.worth)
        found.append(_moved(name, column, np.array(values, float), rows, independent, than))
    return sorted(found, key=lambda one: (-one.effect, one.column))


def tolerance(trained: Floats, rows: float, least_effect: float = LEAST_EFFECT) -> float:
    """The total variation that is harmless: ``least_effect``, and by how much the training shares may themselves be off.

    Args:
        trained: shares in training.
        rows: as how many independent ones the training rows count.
    """
    return least_effect + by_chance(trained, rows) + 2 * spread_by_chance(trained, rows)


def threshold(columns: int, window: timedelta, false_alarms: Rate) -> float:
    """The wealth that alarms: with it, no more false alarms are made in the long run than stated, over all columns.

    >>> threshold(20, timedelta(days=1), Rate(1, timedelta(days=365)))
    7300.0
    """
    return max(1.0, columns * (false_alarms.period / window) / false_alarms.count)


def watch_next(
    watch: Watch,
    profile: Profile,
    counts: Counts,
    *,
    version: int | None,
    end: datetime,
    false_alarms: Rate,
    least_effect: float = LEAST_EFFECT,
) -> tuple[Watch, list[Finding]]:
    """The watch after one more window of rows that ``version`` answered, and what it found, ranked by effect.

    Windows are those of ``profile.window``, each given once and in order; one without rows may be left out. Another
    version starts a watch of its own. The window ends (is no longer part of it) at ``end``.
    """
    if watch.version != version or watch.until is None:
        watch = Watch(version=version, until=end - profile.window)
    alarm_at = threshold(len(profile.columns), profile.window, false_alarms)
    columns, found = dict(watch.columns), []
    for name, values in counts.columns.items():
        column = profile.columns[name]
        before = columns.get(name) or Bets(past=((0.0,) * column.cells,) * len(HALF_LIVES))
        after = _bet(before, column, values, least_effect)
        won = sum(after.wealth) / len(after.wealth)
        moved = _learnt(name, column, after)
        alarms = won >= alarm_at and not before.alarmed and moved.effect >= least_effect
        columns[name] = replace(after, alarmed=before.alarmed or alarms)
        if alarms:
            found.append(_finding(moved, version, end - profile.window, end, {"evidence": won, "alarm_at": alarm_at}))
    after_window = Watch(version=version, windows=watch.windows + 1, until=end, columns=columns)
    return after_window, sorted(found, key=lambda one: (-one.effect, one.what))


def _bet(bets: Bets, column: Column, values: tuple[int, ...], least_effect: float) -> Bets:
    counts = np.array(values, float)
    if bets.alarmed or not counts.sum():
        return bets
    rows, wealth = counts_as(float(counts.sum()), column.worth), []
    for number, view in enumerate(_views(column)):
        q = smoothed(_through(view, column.counts))
        harmless = tolerance(q, _training_worth(column), least_effect)
        for life, past in enumerate(bets.past):
            had = bets.wealth[number * len(HALF_LIVES) + life]
            paid = payoff(_through(view, counts), rows, _through(view, past), q, harmless)
            wealth.append(wealth_next(had, paid))
    scaled = counts / counts.sum() * rows
    faded = (0.5 ** (1 / life) * np.array(past) + scaled for life, past in zip(HALF_LIVES, bets.past, strict=True))
    return Bets(past=tuple(tuple(one.tolist()) for one in faded), wealth=tuple(wealth), rows=bets.rows + sum(values))


def _views(column: Column) -> tuple[Places, Places]:
    """A place for each cell: each its own; and only inside of what training knew, below, above (or rare and new), null.

    Of those few little is chance, so a small part of the rows is enough to see that something new is there.
    """
    fine = np.arange(column.cells)
    if column.type is Logical.BOOLEAN or column.cells <= 3:
        return fine, fine
    first = 1 if column.type is Logical.NUMBER else 0
    return fine, np.where(fine < first, 1, np.where(fine >= column.cells - 2, fine - column.cells + 4, 0))


def _through(view: Places, counts: ArrayLike) -> Floats:
    return np.bincount(view, np.asarray(counts, float)).astype(np.float64)


def _learnt(name: str, column: Column, bets: Bets) -> ColumnDrift:
    """The column by what the richest bet learnt."""
    past = np.array(bets.past[int(np.argmax(bets.wealth)) % len(HALF_LIVES)])
    return _moved(name, column, past, bets.rows, float(past.sum()))


def _moved(name: str, column: Column, counts: Floats, rows: float, independent: float, than: str = "in training") -> ColumnDrift:
    trained = np.array(column.counts, float)
    p, q = counts / max(counts.sum(), 1e-12), trained / max(trained.sum(), 1e-12)
    share = distance(p, q) if counts.sum() else 0.0
    chance = by_chance(q, 1 / (1 / max(independent, 1.0) + 1 / max(_training_worth(column), 1.0)))
    cell = int(np.argmax(np.abs(p - q)))
    because = f"{_percent(p[cell])} of rows have {column.cell_name(cell)}, {than} {_percent(q[cell])}"
    return ColumnDrift(
        column=name, effect=max(0.0, share - chance), share=share, chance=chance, rows=rows, counts_as=independent, because=because
    )


def _training_worth(column: Column) -> float:
    windows = max(column.windows, 1)
    return windows * counts_as(column.rows / windows, column.worth)


def _finding(moved: ColumnDrift, version: int | None, start: datetime, end: datetime, more: Mapping[str, float]) -> Finding:
    what = "the model's score" if moved.column == SCORE else moved.column
    return Finding(
        subject="drift",
        what=moved.column,
        version=version,
        because=f"{what} drifted: {_percent(moved.share)} of rows lie elsewhere than in training; {moved.because}",
        effect=moved.effect,
        start=start,
        end=end,
        numbers={"share": moved.share, "chance": moved.chance, "rows": moved.rows, "counts_as": moved.counts_as, **more},
    )


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.095 or share == 0 else f"{share:.1%}"
