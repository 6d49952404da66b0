"""Orders of a shop: the one small table that all these projects are about."""

from __future__ import annotations

import numpy as np
import polars as pl

WORDS = ["gift", "fragile", "Please", "ring", "twice", "café", "o'clock", "2nd", "floor", "x-ray"]
LABELS = ("late", "outcome", "returned", "price")


def orders(rows: int = 2000, *, seed: int = 0) -> pl.DataFrame:
    """Rows with a label of each kind; carrier, weight and note are null now and then."""
    random = np.random.default_rng(seed)
    carrier = random.choice(["post", "bike", "van", "drone"], rows, p=[0.4, 0.3, 0.2, 0.1])
    weight, items = random.gamma(2.0, 3.0, rows).round(2), random.integers(1, 9, rows)
    express, words = random.random(rows) < 0.3, random.choice(WORDS, (rows, 4))
    effort = 0.4 * weight + 2.0 * (carrier == "bike") - 2.5 * express + 1.5 * (words == "ring").sum(axis=1) + 0.3 * items - 4
    noisy = effort + random.normal(0, 1.0, rows)
    absent = random.random((3, rows)) < 0.08
    return pl.DataFrame(
        {
            "carrier": _with_nulls(carrier.tolist(), absent[0]),
            "city": random.choice(["Ghent", "Liège", "Mons"], rows).tolist(),
            "weight": _with_nulls(weight.tolist(), absent[1]),
            "items": items,
            "express": express,
            "ordered": pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2025, 1, 1), "3h", eager=True)[:rows],
            "note": _with_nulls([" ".join(each) for each in words], absent[2]),
            "late": noisy > 0,
            "outcome": np.where(noisy > 1.5, "late", np.where(noisy > -1.5, "on time", "early")).tolist(),
            "returned": np.where(noisy > 0.5, "yes", "no").tolist(),
            "price": 20 + 3 * noisy + 2 * weight,
        }
    )


def asked(*, seed: int = 1) -> pl.DataFrame:
    """Sixty raw rows that training never saw: each fifth has a carrier, each seventh words, and each ninth a size of its own."""
    number = pl.int_range(pl.len())
    return (
        orders(60, seed=seed)
        .drop(LABELS)
        .with_columns(
            carrier=pl.when(number % 5 == 0).then(pl.lit("balloon")).otherwise("carrier"),
            note=pl.when(number % 7 == 0).then(pl.lit("leave ring with neighbour, merci")).otherwise("note"),
            weight=pl.when(number % 9 == 0).then(400.0 + number).when(number % 11 == 0).then(None).otherwise("weight"),
        )
    )


def _with_nulls(values: list[object], absent: np.ndarray) -> list[object]:
    return [None if is_absent else value for value, is_absent in zip(values, absent, strict=True)]
