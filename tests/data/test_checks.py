"""Checks: each failing verdict names dataset, file, column, count and an example."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath.data.checks import Around, judge
from towpath.data.facts import Facts
from towpath.data.snapshot import Part
from towpath.digest import Digest
from towpath.project_checks import Checks
from towpath.project_reading import read
from towpath.verdict import Answer, Verdict, overall

NOW = datetime(2013, 6, 1, tzinfo=UTC)


def part(path: str, frame: pl.DataFrame | None = None, fault: str = "") -> Part:
    return Part(path=path, digest=Digest(path), size=10, frame=frame, fault=fault)


def good(n: int = 10) -> pl.DataFrame:
    return pl.DataFrame({"distance": list(range(100, 100 + n)), "origin": ["JFK"] * n})


CHECKS = read(
    Checks,
    {
        "rows": {"min": 5, "max": 100},
        "columns": {
            "distance": {"type": "number", "nulls": "10%", "min": 0, "max": 5000},
            "origin": {"type": "string", "nulls": 0, "values": ["JFK", "LGA"]},
        },
    },
)


def failing(checks: Checks, *parts: Part, reference: Facts | None = None) -> list[Verdict]:
    return [
        verdict for verdict in judge("flights", checks, parts, Around(now=NOW, reference=reference)) if verdict.answer is not Answer.PASS
    ]


def only(found: list[Verdict]) -> str:
    assert [verdict.answer for verdict in found] == [Answer.FAIL], found
    return found[0].because


def test_sound_files_pass_with_a_verdict_for_each_check() -> None:
    verdicts = judge("flights", CHECKS, [part("1", good()), part("2", good())], Around(now=NOW))
    assert overall(verdicts) is Answer.PASS
    assert {verdict.gate.split(":")[0] for verdict in verdicts} == {"flights", "flights.distance", "flights.origin"}


def test_kilometres_are_outside_the_range() -> None:
    spoilt = good().with_columns(distance=pl.Series([7987, 100, 6001] + [5] * 7))
    found = failing(CHECKS, part("1", good()), part("2", spoilt))
    assert only(found) == "flights: 2: column distance is outside 0 to 5000 in 2 of 10 rows, such as 7987 in row 1"
    assert found[0].numbers == {"count": 2, "rows": 10, "files": 1}
    assert found[0].examples == ("2 row 1: 7987", "2 row 3: 6001")


def test_negative_distances_are_shown_as_such() -> None:
    spoilt = good().with_columns(distance=-pl.col("distance"))
    assert "such as -109" in only(failing(CHECKS, part("1", spoilt)))


def test_a_column_that_turned_to_text_is_named_with_its_file() -> None:
    spoilt = good().with_columns(pl.col("distance").cast(pl.String))
    because = only(failing(CHECKS, part("1", good()), part("2", spoilt)))
    assert because == "flights: 2: column distance is string in 10 rows, such as '100'; declared is number"


def test_a_missing_column_is_named_with_its_file() -> None:
    found = failing(CHECKS, part("1", good()), part("2", good().drop("origin")), part("3", good().drop("origin")))
    assert only(found) == "flights: 2 has no column origin (and 1 more file); it is declared"


def test_too_many_nulls_in_one_file_do_not_hide_in_the_others() -> None:
    spoilt = good().with_columns(distance=pl.Series([None, None, *range(8)]))
    parts = [part(str(number), good()) for number in range(8)]
    assert "null in 2 of 10 rows (20.0%, at most 10.0% may be), such as row 1" in only(failing(CHECKS, *parts, part("spoilt", spoilt)))


def test_nan_counts_as_null_and_not_as_out_of_range() -> None:
    spoilt = good().with_columns(distance=pl.Series([float("nan"), *map(float, range(9))]))
    assert failing(CHECKS, part("1", spoilt)) == []
    assert "null in 10 of 10" in only(failing(CHECKS, part("1", spoilt.with_columns(distance=pl.lit(float("nan"))))))


def test_a_strange_value_is_shown() -> None:
    spoilt = good().with_columns(origin=pl.Series(["JFK"] * 9 + ["SFO"]))
    assert only(failing(CHECKS, part("1", spoilt))).endswith("column origin is none of JFK, LGA in 1 of 10 rows, such as 'SFO' in row 10")


@pytest.mark.parametrize(("rows", "words"), [(4, "4 rows, must have 5 to 100"), (101, "101 rows")])
def test_too_few_and_too_many_rows(rows: int, words: str) -> None:
    assert words in only(failing(CHECKS, part("1", good(rows))))


def test_a_file_without_rows_and_a_file_that_is_no_table() -> None:
    found = failing(CHECKS, part("1", good()), part("2", good(0)), part("3", fault="it is cut off"))
    assert [verdict.because for verdict in found] == [
        "flights: 3 cannot be read: it is cut off",
        "flights: 2 has columns and no rows",
    ]


def test_all_files_unreadable_is_a_verdict_and_no_crash() -> None:
    assert {"flights: every file is readable"} < {verdict.gate for verdict in failing(CHECKS, part("1", fault="it is empty"))}


def reference(**columns: str) -> Facts:
    return Facts(columns=columns, content=Digest(""))


def test_without_declarations_the_last_accepted_version_says_what_must_be() -> None:
    nothing = Checks()
    same = reference(distance="integer", origin="string")
    assert failing(nothing, part("1", good()), reference=same) == []
    assert "has no column carrier; the last accepted version has it" in only(
        failing(nothing, part("1", good()), reference=reference(distance="integer", origin="string", carrier="string"))
    )
    assert "column distance is number" in only(failing(nothing, part("1", good().with_columns(distance=pl.lit(0.5))), reference=same))


def test_an_integer_is_a_number_and_an_empty_column_is_anything() -> None:
    was = reference(distance="number", origin="string")
    assert failing(Checks(), part("1", good().with_columns(origin=None)), reference=was) == []


def test_without_a_reference_the_odd_file_is_named_even_when_it_is_the_first() -> None:
    odd = good().with_columns(pl.col("distance").cast(pl.String))
    because = only(failing(Checks(), part("1", odd), part("2", good()), part("3", good())))
    assert because.startswith("flights: 1: column distance is string")


def test_a_new_column_is_no_fault() -> None:
    assert failing(Checks(), part("1", good()), part("2", good().with_columns(extra=1))) == []


def test_times_of_different_zones_are_told_apart() -> None:
    frames = [pl.DataFrame({"t": [datetime(2013, 1, 1, tzinfo=zone)]}) for zone in (UTC, None)]
    assert (
        only(failing(Checks(), part("1", frames[0]), part("2", frames[1]))) == "flights: 2: column t is in time zone none, in 1 it is UTC"
    )


def test_declared_booleans_and_numbers_are_compared_as_values() -> None:
    checks = read(Checks, {"columns": {"late": {"values": [0, 1]}, "ok": {"values": [True]}}})
    frame = pl.DataFrame({"late": [0, 1, 1], "ok": [True, True, True]})
    assert failing(checks, part("1", frame)) == []
    assert len(failing(checks, part("1", frame.with_columns(late=pl.lit(2), ok=pl.lit(False))))) == 2


@given(st.lists(st.one_of(st.none(), st.integers(-100, 6000)), min_size=1, max_size=30))
def test_the_count_is_right(values: list[int | None]) -> None:
    checks = read(Checks, {"columns": {"a": {"min": 0, "max": 5000}}})
    found = failing(checks, part("1", pl.DataFrame({"a": pl.Series(values, dtype=pl.Int64)})))
    wrong = [value for value in values if value is not None and not 0 <= value <= 5000]
    assert [verdict.numbers["count"] for verdict in found] == ([len(wrong)] if wrong else [])
