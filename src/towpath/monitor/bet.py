"""Betting that a column has left its training shares: the arithmetic of drift.

A distance between two sets of shares is the total variation: the part of the rows that would have to be moved from one
cell to another. Harmless is every ``p`` with ``TV(p, q) <= tolerance`` of the training shares ``q``. The windows so far say
where the rows went, ``a``; the bet on the next window pays ``a/p`` a row, where ``p`` is the harmless distribution nearest to ``a``.
Since the harmless ones are a convex set and p minimises KL(a|p) over it, no harmless distribution wins by that bet:
``E[a/p] <= 1`` for each row, whatever came before.

Source: P. Grünwald, R. de Heide, W. Koolen, "Safe testing", JRSS B 86 (2024) 1091-1128, theorem 1 (the bet); J. Shin,
A. Ramdas, A. Rinaldo, "E-detectors", NEJSDS 2 (2024) 229-260 (the wealth that starts anew in each window).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HALF_LIVES = (1.0, 4.0, 16.0)  # windows over which the past fades: for a jump, a step and a slow slope
PRIOR = 20.0  # rows' weight of the training shares in what is learnt; a few rows must not make a bold bet
MOST = 1e15  # wealth beyond this says nothing more


def smoothed(counts: Floats) -> Floats:
    """Shares of counts, none of them 0: half a row is added to each cell."""
    return np.asarray((counts + 0.5) / (counts.sum() + 0.5 * len(counts)))


def distance(p: Floats, q: Floats) -> float:
    """Total variation of two sets of shares, 0 to 1: the part of the rows that lies elsewhere."""
    return float(np.abs(p - q).sum() / 2)


def by_chance(q: Floats, rows: float) -> float:
    """The total variation from ``q`` that ``rows`` independent rows show on average although nothing moved."""
    return float(np.minimum(1, np.sqrt(2 / np.pi * q * (1 - q) / max(rows, 1.0)).sum() / 2))


def spread_by_chance(q: Floats, rows: float) -> float:
    """The standard deviation about :func:`by_chance`, as if it were of half as many cells: one cell's gain is another's loss."""
    return float(np.sqrt(2 * (1 - 2 / np.pi) * (q * (1 - q)).sum() / max(rows, 1.0)) / 2)


def nearest(a: Floats, q: Floats, tolerance: float) -> Floats:
    """Of all shares within ``tolerance`` of ``q``, those that minimise KL(a|p).

    Cells where ``a`` has too much share one ratio a/p, cells where it has too little another; between them p is q.

    >>> nearest(np.array([0.5, 0.5]), np.array([0.9, 0.1]), 0.1).round(3).tolist()
    [0.8, 0.2]
    """
    if distance(a, q) <= tolerance:
        return a
    ratio = a / q
    order = np.argsort(-ratio)
    most = float((np.cumsum(a[order]) / (tolerance + np.cumsum(q[order]))).max())
    missing, room = np.cumsum(a[order[::-1]]), np.cumsum(q[order[::-1]]) - tolerance
    least = float((missing[room > 0] / room[room > 0]).min())
    return np.where(ratio > most, a / most, np.where(ratio < least, a / least, q))


def payoff(counts: Floats, rows: float, past: Floats, q: Floats, tolerance: float) -> float:
    """What a bet made from the ``past`` windows pays on ``counts``, which count as ``rows`` independent ones.

    Args:
        counts: rows of this window in each cell; at least one.
        past: (faded) rows of the windows before in each cell.
    """
    learnt = (past + PRIOR * q) / (past.sum() + PRIOR)
    gains = np.log(learnt / nearest(learnt, q, tolerance))
    return math.exp(min(float(counts @ gains) / float(counts.sum()) * rows, math.log(MOST)))


def wealth_next(wealth: float, paid: float) -> float:
    """Wealth after one more window, in which a fresh unit is put to what there was: its mean grows by at most 1 a window.

    So the chance that it has reached c within t windows is at most t / c (Doob), which is a rate of false alarms.
    """
    return min((wealth + 1) * paid, MOST)
