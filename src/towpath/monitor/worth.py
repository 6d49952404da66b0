"""As how many independent rows a window counts.

Rows of one hour share their weather and rows of one day their weekday, so ten thousand rows of a day may tell no more of
a column than four. A test that counts them as ten thousand alarms on every cold day. Training shows how much windows
differ among themselves, and from that each column gets a worth: a window of n rows counts as ``1 / (1/n + 1/worth)``.

Source: the design effect of J. N. K. Rao and A. J. Scott, "The analysis of categorical data from complex sample
surveys", JASA 76 (1981) 221-230: X² of clustered counts, divided by its degrees of freedom, estimates by how much their
variance exceeds that of independent rows. Taken for blocks of 1, 2, 4, ... windows, of which the smallest worth holds,
because cold days come in a row.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

LEAST_BLOCKS = 5  # fewer say little of how much blocks differ
LEAST_EXPECTED = 5.0  # rows a cell and block; rarer cells are pooled, for X² is wild on them

Floats = NDArray[np.float64]


def counts_as(rows: float, worth: float | None) -> float:
    """As how many independent rows ``rows`` of one window count.

    >>> counts_as(100, None), counts_as(100, 25.0)
    (100, 20.0)
    """
    return rows if worth is None or rows <= 0 else 1 / (1 / rows + 1 / worth)


def worth_of_a_window(places: NDArray[np.int64], windows: NDArray[np.int64], cells: int) -> tuple[int, float | None]:
    """How many windows there are, and what one is worth: None where they differ no more than independent rows would.

    Args:
        places: cell of each row, shape ``(n,)``.
        windows: number of each row's window; -1 where the time is not known.
    """
    known = windows >= 0
    numbers, dense = np.unique(windows[known], return_inverse=True)
    table = np.bincount(dense * cells + places[known], minlength=len(numbers) * cells).reshape(-1, cells).astype(np.float64)
    lengths = [2**k for k in range(20) if len(numbers) // 2**k >= LEAST_BLOCKS]
    found = [worth for worth in (_worth(table, length) for length in lengths) if worth is not None]
    return len(numbers), min(found, default=None)


def _worth(table: Floats, length: int) -> float | None:
    blocks = np.add.reduceat(table, np.arange(0, len(table), length), axis=0)[: len(table) // length]
    pooled = _pooled(blocks)
    if pooled.shape[1] < 2:
        return None
    rows = pooled.sum(axis=1)
    expected = rows[:, None] * pooled.sum(axis=0) / rows.sum()
    freedom = (len(rows) - 1) * (pooled.shape[1] - 1)
    effect = float(((pooled - expected) ** 2 / expected).sum()) / freedom
    chance = 2 * math.sqrt(2 / freedom)  # two standard deviations of X² over its degrees of freedom
    return float(rows.mean() / (effect - 1) / length) if effect > 1 + chance else None


def _pooled(blocks: Floats) -> Floats:
    """Cells that are too rare become one, together with the rarest of the others if they are too rare still."""
    ordered = blocks[:, np.argsort(blocks.sum(axis=0))]
    upto = np.cumsum(ordered.sum(axis=0)) / len(blocks)
    rare = int((ordered.sum(axis=0) / len(blocks) < LEAST_EXPECTED).sum())
    rare = max(rare, int(np.searchsorted(upto, LEAST_EXPECTED)) + 1) if rare else 0
    return np.hstack([ordered[:, :rare].sum(axis=1, keepdims=True), ordered[:, rare:]]) if rare else ordered
