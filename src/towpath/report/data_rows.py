"""Rows that are left out, or erased, in words."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from towpath.data.difference import Row
from towpath.data.exclusions import Exclusion
from towpath.report.data_diff import row_in_words


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """What an exclusion touches of the files as they are now; ``exclusion`` is 0 where it was only tried."""

    dataset: str
    where: str
    rows: int
    of_rows: int
    examples: list[Row]
    exclusion: int = 0


def touched(one: Touched) -> str:
    """What was, or would be, left out."""
    share = f" ({one.rows / one.of_rows:.2%})" if one.of_rows else ""
    would = "are left out of every later run" if one.exclusion else "would be left out"
    lines = [f"{one.dataset}: {one.rows:,} of {one.of_rows:,} rows{share} {would}, where {one.where}"]
    lines += [f"  {row_in_words(row)}" for row in one.examples]
    if one.exclusion:
        lines.append(f"exclusion {one.exclusion}; back again: `towpath data exclude {one.dataset} --lift {one.exclusion} --reason ...`")
    if not one.rows:
        lines.append("no row of the files as they are now: is that what you meant?")
    return "\n".join(lines)


def exclusions(all_of_it: Sequence[Exclusion]) -> str:
    """Every exclusion of a dataset, the ones that were lifted too."""
    if not all_of_it:
        return "no row was ever excluded"
    lines = []
    for one in all_of_it:
        state = f"lifted {one.lifted}" if one.lifted else "holds"
        lines.append(f"{one.number:>3}  {one.at:%Y-%m-%d}  {one.dataset} where {one.where}  ({one.by}: {one.because}; {state})")
    return "\n".join(lines)
