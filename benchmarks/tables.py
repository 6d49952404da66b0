"""Large tables with a past: rows as a system writes them day by day, so that neither compression nor chunking has it easy."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

ROWS = 500_000  # rows a part


def write(path: Path, size: int) -> None:
    """A table of about ``size`` bytes."""
    if path.suffix == ".csv":
        with path.open("wb") as file:
            for number in _forever():
                file.write(_part(number).write_csv(include_header=number == 0).encode())
                if file.tell() >= size:
                    return
    parts, written = [], 0
    for number in _forever():
        parts.append(_part(number))
        written += ROWS * 30  # what a row takes in Parquet, about
        if written >= size:
            break
    pl.concat(parts).write_parquet(path, row_group_size=ROWS)


def append(path: Path, share: float) -> None:
    """Rows at the end: to a Parquet file as its owner does it, by writing all of it again."""
    if path.suffix == ".csv":
        lines = _part(10_000).write_csv(include_header=False).encode()
        with path.open("ab") as file:
            file.write((lines * (1 + int(path.stat().st_size * share) // len(lines)))[: int(path.stat().st_size * share)])
        return
    table = pl.read_parquet(path)
    new = [_part(10_000 + number) for number in range(1 + int(table.height * share) // ROWS)]
    more = pl.concat(new).head(int(table.height * share))
    pl.concat([table, more]).write_parquet(path, row_group_size=ROWS)


def insert(path: Path, share: float) -> None:
    """Lines in the middle of a text file."""
    data, count = path.read_bytes(), int(path.stat().st_size * share)
    middle = data.index(b"\n", len(data) // 2) + 1
    lines = _part(20_000).write_csv(include_header=False).encode()
    path.write_bytes(data[:middle] + (lines * (1 + count // len(lines)))[:count] + data[middle:])


def _forever() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def _part(number: int) -> pl.DataFrame:
    made = np.random.default_rng(number)
    words = [random.Random(seed).randbytes(4).hex() for seed in range(1000)]
    return pl.DataFrame(
        {
            "id": np.arange(number * ROWS, (number + 1) * ROWS),
            "amount": made.normal(100, 30, ROWS).round(2),
            "x": made.random(ROWS),
            "kind": [words[place] for place in made.integers(0, 1000, ROWS)],
        }
    )
