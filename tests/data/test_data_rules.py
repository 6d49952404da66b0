"""Rules and figures: the compiled pass says what a naive evaluation, row by row, says; examples, saved rows and errors of declaration."""

from __future__ import annotations

import io
import math
import re
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from towpath.data.checks import Around, Faulty, judge, of_dataset
from towpath.data.facts import Facts
from towpath.data.snapshot import Part
from towpath.digest import Digest
from towpath.errors import ProjectError
from towpath.project_checks import Checks
from towpath.project_file import load
from towpath.project_reading import read
from towpath.store.memory import MemoryStore
from towpath.verdict import Answer, Verdict

NOW = datetime(2013, 6, 1, tzinfo=UTC)
AROUND = Around(now=NOW)


def part(path: str, frame: pl.DataFrame) -> Part:
    return Part(path=path, digest=Digest(path), size=10, frame=frame)


def failing(declared: dict[str, object], *frames: pl.DataFrame, around: Around = AROUND) -> list[Verdict]:
    checks = read(Checks, {"rows": {}, **declared})
    verdicts = judge("d", checks, [part(str(number), frame) for number, frame in enumerate(frames)], around)
    gates = [verdict.gate for verdict in verdicts if verdict.answer is Answer.PASS]
    assert len(gates) == len(set(gates))
    return [verdict for verdict in verdicts if verdict.answer is not Answer.PASS and "no file without rows" not in verdict.gate]


def only(declared: dict[str, object], *frames: pl.DataFrame, around: Around = AROUND) -> Verdict:
    (found,) = failing(declared, *frames, around=around)
    return found


# the naive evaluation: each takes all values of a column over all files, None and NaN alike being no value


def is_missing(value):
    return value is None or (isinstance(value, float) and math.isnan(value))


def too_many(bad, among, share):
    return bad > (1 - share) * among + 1e-9


def naive(kind, argument, files):
    """Whether column ``a`` of the files passes one check."""
    everything = [value for values in files for value in values if not is_missing(value)]
    match kind:
        case "nulls":
            return not any(too_many(sum(map(is_missing, values)), len(values), 1 - argument) for values in files)
        case "complete":
            rows = sum(map(len, files))
            return not too_many(rows - len(everything), rows, argument)
        case "unique":
            repeated = [value for value in everything if everything.count(value) > 1]
            return not too_many(len(repeated), len(everything), argument)
        case "distinct":
            return len(set(everything)) <= argument["max"]
        case "mean":
            return sum(map(float, everything)) / len(everything) <= argument["max"] if everything else None
        case "quantiles":
            return float(pl.Series(map(float, everything)).quantile(0.5, "linear")) <= argument["0.5"]["max"] if everything else None
    good = {
        "min": lambda value: value >= argument,
        "max": lambda value: value <= argument,
        "values": lambda value: value in argument,
        "regex": lambda value: re.search(argument.replace("$", r"\Z"), value) is not None,  # in Polars `$` is the very end
        "length": lambda value: argument["min"] <= len(value) <= argument["max"],
    }[kind]
    return all(good(value) for values in files for value in values if not is_missing(value))


integers = st.one_of(st.none(), st.integers(-5, 5))
floats = st.one_of(st.none(), st.sampled_from([-3.0, -0.5, 0.0, 0.5, 2.0, 1e300, float("nan"), float("inf")]))
texts = st.one_of(st.none(), st.sampled_from(["", "a", "ab", "b", "äö", "A1", "\n"]))
shares = st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0])
OF_NUMBERS = {
    "nulls": shares,
    "complete": shares,
    "unique": shares,
    "min": st.integers(-4, 4),
    "max": st.integers(-4, 4),
    "values": st.sets(st.sampled_from([-5, -3, 0, 0.5, 1, 2, 5]), max_size=7).map(list),
    "distinct": st.integers(0, 6).map(lambda n: {"max": n}),
    "mean": st.integers(-4, 4).map(lambda n: {"max": n}),
    "quantiles": st.integers(-4, 4).map(lambda n: {"0.5": {"max": n}}),
}
OF_TEXTS = {
    "nulls": shares,
    "complete": shares,
    "unique": shares,
    "values": st.sets(st.sampled_from(["", "a", "ab", "äö", "x", *(f"filler {n}" for n in range(9))])).map(list),
    "regex": st.sampled_from(["a", "^a", "^$", "[0-9]", "ö$"]),
    "length": st.tuples(st.integers(0, 2), st.integers(2, 3)).map(lambda ends: {"min": ends[0], "max": ends[1]}),
    "distinct": st.integers(0, 6).map(lambda n: {"max": n}),
}
CASES = [
    (values, dtype, kinds)
    for values, dtype, kinds in (
        (integers, pl.Int8, OF_NUMBERS),
        (floats, pl.Float64, OF_NUMBERS),
        (texts, pl.String, OF_TEXTS),
        (texts, pl.Categorical, OF_TEXTS),
    )
]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_compiled_rules_say_what_a_naive_evaluation_says(data):
    values, dtype, kinds = data.draw(st.sampled_from(CASES))
    files = data.draw(st.lists(st.lists(values, max_size=8), min_size=1, max_size=3))
    kind = data.draw(st.sampled_from(sorted(kinds)))
    argument = data.draw(kinds[kind])
    frames = [pl.DataFrame({"a": pl.Series(column, dtype=dtype, strict=False)}) for column in files]
    found = failing({"columns": {"a": {kind: argument}}}, *frames)
    passes = naive(kind, argument, files)
    assert [verdict.answer for verdict in found] == {True: [], False: [Answer.FAIL], None: [Answer.ERROR]}[passes]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(integers, integers), min_size=1, max_size=9), st.sampled_from([0.5, 0.9, 1.0]))
def test_an_expression_says_what_a_naive_evaluation_says(pairs, share):
    frame = pl.DataFrame(pairs, schema={"a": pl.Int64, "b": pl.Int64}, orient="row")
    found = failing({"expressions": [{"holds": "a >= b - 1", "share": share}]}, frame)
    bad = [number for number, (a, b) in enumerate(pairs, 1) if a is not None and b is not None and not a >= b - 1]
    assert bool(found) == too_many(len(bad), len(pairs), share)
    if found:
        assert found[0].numbers["count"] == len(bad)
        assert [int(re.match(r"0 row (\d+)", one)[1]) for one in found[0].examples] == bad[:5]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.tuples(integers, texts), max_size=6), min_size=1, max_size=3))
def test_several_columns_are_unique_together(files):
    frames = [pl.DataFrame(rows, schema={"a": pl.Int64, "b": pl.String}, orient="row") for rows in files]
    found = failing({"unique": [["a", "b"]]}, *frames)
    rows = [row for file in files for row in file if None not in row]
    repeated = sum(rows.count(row) > 1 for row in rows)
    assert [verdict.numbers["count"] for verdict in found] == ([repeated] if repeated else [])


@settings(max_examples=100, deadline=None)
@given(st.lists(integers, min_size=1, max_size=8), st.lists(integers, max_size=5))
def test_a_foreign_key_is_one_of_the_others(values, others):
    around = Around(now=NOW, others={"o": [part("o", pl.DataFrame({"k": pl.Series(others, dtype=pl.Int32)}))]})
    found = failing({"foreign_keys": {"a": "o.k"}}, pl.DataFrame({"a": pl.Series(values, dtype=pl.Float64)}), around=around)
    orphans = [value for value in values if value is not None and value not in others]
    assert [verdict.numbers["count"] for verdict in found] == ([len(orphans)] if orphans else [])


def test_the_worst_values_are_quoted_first_with_file_and_row_and_at_most_five():
    frames = [pl.DataFrame({"a": [1, 20, 3]}), pl.DataFrame({"a": [50, 1, -99, 60, 70, 80]})]
    found = only({"columns": {"a": {"min": 0, "max": 10}}}, *frames)
    assert found.because == "d: 0: column a is outside 0 to 10 in 1 of 3 rows, such as 20 in row 2 (and 5 rows of 1 more file)"
    assert found.examples == ("0 row 2: 20", "1 row 3: -99", "1 row 6: 80", "1 row 5: 70", "1 row 4: 60")
    assert found.numbers == {"count": 6, "rows": 9, "files": 2}


def test_every_row_at_fault_is_saved_once_as_it_was_delivered():
    store = MemoryStore()
    frames = [pl.DataFrame({"a": [1, 20, None], "b": ["x", "y", "z"]}), pl.DataFrame({"a": [5.0, 5.5], "b": ["x", None]})]
    declared = {"columns": {"a": {"nulls": 0, "max": 10}, "b": {"unique": True, "nulls": 0}}}
    found = failing(declared, *frames, around=Around(now=NOW, store=store))
    (digest,) = {verdict.saved for verdict in found}
    saved = pl.read_parquet(io.BytesIO(store.get(Digest(digest))))
    assert saved.select("towpath_file", "towpath_row", "b").rows() == [
        ("0", 1, "x"),
        ("0", 2, "y"),
        ("0", 3, "z"),
        ("1", 1, "x"),
        ("1", 2, None),
    ]
    assert saved["a"].to_list() == ["1", "20", None, "5.0", "5.5"]
    assert saved["towpath_checks"].to_list() == [
        ["d.b: nulls <= 0; unique"],
        ["d.a: nulls <= 0; at most 10"],
        ["d.a: nulls <= 0; at most 10"],
        ["d.b: nulls <= 0; unique"],
        ["d.b: nulls <= 0; unique"],
    ]


def test_nothing_is_saved_when_nothing_fails():
    store = MemoryStore()
    judge("d", read(Checks, {"columns": {"a": {"min": 0}}}), [part("0", pl.DataFrame({"a": [1]}))], Around(now=NOW, store=store))
    assert store.objects == {}
    assert failing({"columns": {"a": {"min": 0}}}, pl.DataFrame({"a": [-1]}))[0].saved == ""


def test_what_was_saved_once_may_be_data_itself():
    store = MemoryStore()
    found = only({"columns": {"a": {"min": 0}}}, pl.DataFrame({"a": [-1]}), around=Around(now=NOW, store=store))
    again = pl.read_parquet(io.BytesIO(store.get(Digest(found.saved))))
    assert only({"columns": {"a": {"min": 0}}}, again, around=Around(now=NOW, store=store)).examples == ("0 row 1: -1",)


def test_large_integers_are_not_taken_for_each_other():
    large = 2**53
    around = Around(now=NOW, others={"o": [part("o", pl.DataFrame({"k": [large]}))]})
    frame = pl.DataFrame({"a": [large + 1]})
    assert "is not in o.k" in only({"foreign_keys": {"a": "o.k"}}, frame, around=around).because
    assert "is none of" in only({"columns": {"a": {"values": [large]}}}, frame).because
    assert failing({"columns": {"a": {"values": [large, large + 1, 0.5, "1e3", "x"]}}}, frame.cast(pl.UInt64)) == []
    assert failing({"columns": {"a": {"values": ["1e3", True]}}}, pl.DataFrame({"a": [1000]})) == []


def test_a_share_counts_values_and_not_nulls():
    frame = pl.DataFrame({"a": [1, 1, 1, -1, None, None]})
    assert failing({"columns": {"a": {"min": 0, "share": "75%"}}}, frame) == []
    found = only({"columns": {"a": {"min": 0, "share": "80%"}}}, frame)
    assert found.because == "d: 0: column a is outside at least 0 in 1 of 4 values (25.0%, at most 20.0% may be), such as -1 in row 4"


def test_one_bad_file_does_not_hide_but_completeness_is_of_all():
    frames = [pl.DataFrame({"a": [1] * 9}), pl.DataFrame({"a": [1, None]})]
    assert "1: column a is null in 1 of 2 rows (50.0%" in only({"columns": {"a": {"nulls": "20%"}}}, *frames).because
    assert failing({"columns": {"a": {"complete": "90%"}}}, *frames) == []
    assert only({"columns": {"a": {"complete": "95%"}}}, *frames).because == (
        "d: column a is null in 1 of 11 rows (9.1%, at most 5.0% may be), such as row 2 of 1"
    )


def test_uniqueness_is_seen_across_files():
    found = only({"columns": {"a": {"unique": True}}}, pl.DataFrame({"a": [1, 2]}), pl.DataFrame({"a": [3, 2, None, None]}))
    assert found.because == "d: column a is not unique in 2 of 6 rows, such as 2 in row 2 of 0"
    assert found.examples == ("0 row 2: 2", "1 row 2: 2")


@pytest.mark.parametrize(
    ("times", "fails"),
    [
        ([datetime(2013, 5, 31, 12), datetime(1970, 1, 1)], False),
        ([datetime(2013, 5, 31, 11, 59), None], True),
        ([datetime(2013, 5, 31, 14, tzinfo=timezone(timedelta(hours=2)))], False),
        ([datetime(2013, 5, 31, 13, 59, tzinfo=timezone(timedelta(hours=2)))], True),
        ([date(2013, 5, 31)], True),
        ([date(2013, 6, 1)], False),
    ],
)
def test_freshness_is_by_the_projects_clock_in_utc(times, fails):
    found = failing({"columns": {"t": {"fresh": "12h"}}}, pl.DataFrame({"t": times}))
    assert [verdict.answer for verdict in found] == [Answer.FAIL] * fails


def test_an_old_dataset_says_how_old():
    found = only({"columns": {"t": {"fresh": "36h"}}}, pl.DataFrame({"t": [datetime(2013, 5, 28)]}))
    assert found.because == "d: the age of the newest t is 4d, must be at most 36h"
    assert found.numbers == {"value": 4 * 86400, "high": 36 * 3600}


def test_a_range_of_times_is_in_utc_unless_it_says_otherwise():
    zoned = pl.DataFrame({"t": [datetime(2013, 1, 1, tzinfo=timezone(timedelta(hours=1)))]}).with_columns(
        pl.col("t").dt.convert_time_zone("Europe/Berlin")
    )
    assert (
        "is outside at least 2013-01-01 in 1 of 1 row, such as 2012-12-31 23:00:00"
        in only({"columns": {"t": {"min": "2013-01-01"}}}, zoned).because
    )
    assert failing({"columns": {"t": {"min": "2013-01-01T00:00:00+01:00", "max": "2013-01-02"}}}, zoned) == []
    assert failing({"columns": {"t": {"min": "2013-01-01"}}}, pl.DataFrame({"t": [date(2013, 1, 1)]})) == []


def test_figures_say_what_they_are():
    frame = pl.DataFrame({"a": list(range(101)), "ok": [True] * 50 + [False] * 51})
    found = failing({"columns": {"a": {"quantiles": {"99%": {"max": 50}}, "distinct": {"max": 100}}, "ok": {"mean": {"min": 0.5}}}}, frame)
    assert [verdict.because for verdict in found] == [
        "d: the number of different values of column a is 101, must be at most 100",
        "d: the quantile 0.99 of column a is 99, must be at most 50",
        "d: the mean of column ok is 0.495049504950495, must be at least 0.5",
    ]


@pytest.mark.parametrize("check", [{"min": 0}, {"mean": {"min": 0}}, {"fresh": "1d"}, {"regex": "a"}, {"length": {"min": 1}}])
def test_a_column_that_has_no_answer_is_an_error_and_no_pass(check):
    frame = pl.DataFrame({"a": [b"x"]})
    found = only({"columns": {"a": check}}, frame)
    assert found.answer is Answer.ERROR
    assert "column a is binary" in found.because


def test_a_wrong_type_is_told_once():
    found = only({"columns": {"a": {"type": "number", "min": 0}}}, pl.DataFrame({"a": ["x"]}), pl.DataFrame({"a": ["y"]}))
    assert found.gate == "d: types"


def test_a_rule_of_all_files_needs_types_that_go_together():
    frames = [pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [1.5]}), pl.DataFrame({"a": [None]})]
    assert failing({"columns": {"a": {"unique": True, "distinct": {"max": 2}}}}, *frames) == []
    assert [verdict.gate for verdict in failing({"columns": {"a": {"unique": True}}}, *frames, pl.DataFrame({"a": ["x"]}))] == ["d: types"]


def test_a_column_without_values_keeps_to_what_is_asked_of_values():
    declared = {"columns": {"a": {"min": 0, "regex": "x", "values": ["y"], "length": {"min": 3}, "unique": True}}, "expressions": ["a > b"]}
    assert failing(declared, pl.DataFrame({"a": [None, None], "b": [1, 2]})) == []


def test_an_expression_that_breaks_on_the_values_is_an_error_and_the_others_are_judged():
    frame = pl.DataFrame({"a": ["1", "x"], "b": [1, -1]})
    found = failing({"expressions": ["CAST(a AS INT) > 0"], "columns": {"b": {"min": 0}}}, frame)
    assert [(verdict.gate, verdict.answer) for verdict in found] == [
        ("d.b: at least 0", Answer.FAIL),
        ("d: CAST(a AS INT) > 0", Answer.ERROR),
    ]


def test_no_files_that_can_be_read_is_no_crash():
    checks = read(Checks, {"columns": {"a": {"unique": True, "mean": {"max": 1}}}, "expressions": ["a > 0"]})
    verdicts = judge("d", checks, [Part(path="0", digest=Digest("0"), size=0, fault="it is empty")], AROUND)
    assert Answer.FAIL in {verdict.answer for verdict in verdicts}


def test_a_column_that_a_rule_needs_is_missing_in_one_file():
    found = only({"expressions": ["a > b"]}, pl.DataFrame({"a": [1], "b": [0]}), pl.DataFrame({"a": [1]}))
    assert found.because == "d: 1 has no column b; it is declared"


def test_a_column_that_is_gone_is_bad_data_and_one_that_never_was_is_a_slip():
    frame = pl.DataFrame({"arr": [1]})
    was = Around(now=NOW, reference=Facts(columns={"arr": "integer", "dep": "integer"}, content=Digest("")))
    assert only({"expressions": ["arr > dep"]}, frame, around=was).because.startswith("d: 0 has no column dep")
    with pytest.raises(Faulty) as fault:
        failing({"expressions": ["arr > dep"]}, frame)
    assert "there is no column dep" in fault.value.what


SLIPS = {
    "an expression that is none": ('expressions:\n        - "a > 0"\n        - "a >"', 9, "`a >` is no expression", "SQL"),
    "an expression without a column": ("expressions: [1 = 1]", 7, "names no column", "SQL"),
    "an expression of an unknown column": ("expressions: [ab > 1]", 7, "there is no column ab", "did you mean a?"),
    "a subquery": ("expressions: [a IN (SELECT 1)]", 7, "has a query within", "SQL"),
    "a key of an unknown column": ("unique: [[a, c]]", 7, "there is no column c", "there is: a, t"),
    "a foreign key of an unknown column": ("foreign_keys: {b: rows.a}", 7, "there is no column b", "there is: a, t"),
    "a foreign dataset that is not there": ("foreign_keys: {a: row.a}", 7, "no dataset called 'row'", "did you mean rows?"),
    "a foreign column that is not there": ("foreign_keys: {a: rows.b}", 7, "no column of rows called 'b'", "there is: a, t"),
    "a regular expression that is none": ("columns:\n        a: {type: string,\n            regex: '(?=x)'}", 9, "look-around", "Rust"),
}


def project(folder: Path, checks: str) -> None:
    start = "name: p\nmodel: {task: binary, rows: rows, label: a}\ndata:\n  rows:\n    path: a.csv\n    checks:\n"
    (folder / "towpath.yaml").write_text(f"{start}      {checks}\n")


@pytest.mark.parametrize(("checks", "line", "what", "mend"), SLIPS.values(), ids=SLIPS)
def test_a_slip_of_the_pen_has_its_line(tmp_path, checks, line, what, mend):
    project(tmp_path, checks)
    frame = pl.DataFrame({"a": ["x"], "t": [1]})
    files = [part("a.csv", frame)]
    with pytest.raises(ProjectError) as fault:
        of_dataset(load(tmp_path, {}), "rows", files, Around(now=NOW, others={"rows": files}))
    assert what in fault.value.what
    assert mend in fault.value.mend
    assert fault.value.line == line


WRONG_KEYS = {
    "a misspelt check": ("columns: {a: {regx: x}}", "unknown key `data.rows.checks.columns.a.regx`", "did you mean `regex`?"),
    "a misspelt list": ("expresions: [a > 1]", "unknown key `data.rows.checks.expresions`", "did you mean `expressions`?"),
    "a key of an expression": ("expressions: [{holds: a > 1, shares: 90%}]", "unknown key", "did you mean `share`?"),
    "an empty range": ("columns: {a: {min: 5, max: 1}}", "nothing lies between", "docs/project.md"),
    "a range from a number to a time": ("columns: {a: {min: 5, max: 2013-01-01}}", "two numbers or two times", "docs/project.md"),
    "a foreign key without a column": (
        "foreign_keys: {a: carriers}",
        "`data.rows.checks.foreign_keys.a` cannot be 'carriers'",
        "docs/project.md",
    ),
    "an age without a unit": ("columns: {a: {fresh: 36}}", "'36' is no duration", "14d, 6h"),
    "a share above one": ("columns: {a: {complete: 120%}}", "'120%' is no share", "10%, 0.1"),
    "a wrong word": ("unsupported: skip", "`data.rows.checks.unsupported` cannot be 'skip'", "one of: refuse, ignore"),
}


@pytest.mark.parametrize(("checks", "what", "mend"), WRONG_KEYS.values(), ids=WRONG_KEYS)
def test_a_wrong_key_has_its_line_and_the_nearest(tmp_path, checks, what, mend):
    project(tmp_path, checks)
    with pytest.raises(ProjectError) as fault:
        load(tmp_path, {})
    assert (fault.value.line, what in fault.value.what, mend in fault.value.mend) == (7, True, True), fault.value
