"""Suites of Great Expectations: an expectation that is read says what Great Expectations says of the same table; no other is passed over.

``great_expectations.json`` has what Great Expectations itself said of a good and a bad table, expectation by expectation.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from towpath.data.checks import Around, Faulty, judge
from towpath.data.snapshot import Part
from towpath.digest import Digest
from towpath.project_checks import Checks
from towpath.project_reading import read
from towpath.verdict import Answer, Verdict, overall

GOLDEN = json.loads((Path(__file__).parent / "great_expectations.json").read_text())


def said(folder: Path, suite: object, table: dict[str, list[object]], **more: str) -> tuple[Verdict, ...]:
    (folder / "suite.json").write_text(json.dumps(suite))
    part = Part(path="a", digest=Digest("a"), size=1, frame=pl.DataFrame(table))
    checks = read(Checks, {"expectations": "suite.json", **more})
    return judge("rows", checks, [part], Around(now=datetime(2020, 1, 1, tzinfo=UTC), code=folder))


@pytest.mark.parametrize("table", ["good", "bad"])
@pytest.mark.parametrize("one", GOLDEN["expectations"], ids=lambda one: one["type"])
def test_an_expectation_says_what_great_expectations_says(tmp_path, one, table):
    suite = {"name": "s", "expectations": [{"type": one["type"], "kwargs": one["kwargs"]}]}
    verdicts = said(tmp_path, suite, GOLDEN[table])
    assert overall(verdicts) is (Answer.PASS if one[table] else Answer.FAIL), verdicts


def test_both_answers_of_most_expectations_are_tried():
    both = [one for one in GOLDEN["expectations"] if one["good"] and not one["bad"]]
    assert len(both) >= 20


def test_the_older_form_is_read_and_a_whole_suite_is_judged_together(tmp_path):
    old = [{"expectation_type": one["type"], "kwargs": one["kwargs"]} for one in GOLDEN["expectations"]]
    suite = {"expectation_suite_name": "s", "expectations": old}
    assert overall(said(tmp_path, suite, GOLDEN["good"])) is Answer.PASS
    failed = {verdict.gate for verdict in said(tmp_path, suite, GOLDEN["bad"]) if verdict.answer is Answer.FAIL}
    assert {"rows.distance: 0 to 5000", "rows.id: unique", "rows.origin: one of EWR, JFK, LGA"} <= failed


UNSUPPORTED = {
    "no such expectation here": ("expect_column_kl_divergence_to_be_less_than", {"column": "id", "threshold": 1}, "no equivalent"),
    "a condition on rows": ("expect_column_to_exist", {"column": "id", "row_condition": "a > 1"}, "`row_condition` has no equivalent"),
    "strict, for most values": (
        "expect_column_values_to_be_between",
        {"column": "id", "min_value": 0, "strict_min": True, "mostly": 0.9},
        "`mostly`",
    ),
    "nulls that are compared": ("expect_compound_columns_to_be_unique", {"column_list": ["id", "tail"]}, "ignore_row_if"),
    "a parameter": ("expect_table_row_count_to_equal", {"value": {"$PARAMETER": "n"}}, "known only when Great Expectations runs"),
    "an unknown type": ("expect_column_values_to_be_of_type", {"column": "id", "type_": "GEOGRAPHY"}, "GEOGRAPHY"),
    "wrong arguments": ("expect_column_values_to_be_between", {"column": "id", "min_value": "low"}, "its arguments"),
    "no column": ("expect_column_values_to_be_between", {"min_value": 1}, "its arguments"),
}


@pytest.mark.parametrize(("kind", "arguments", "reason"), UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_what_has_no_equivalent_is_named_and_stops(tmp_path, kind, arguments, reason):
    suite = {"expectations": [{"type": kind, "kwargs": arguments}, {"type": "expect_column_to_exist", "kwargs": {"column": "id"}}]}
    with pytest.raises(Faulty) as fault:
        said(tmp_path, suite, GOLDEN["good"])
    assert f"suite.json: 1 of 2 expectations are not supported: {kind}" in fault.value.what
    assert reason in fault.value.what
    assert "unsupported: ignore" in fault.value.mend
    verdicts = said(tmp_path, suite, GOLDEN["good"], unsupported="ignore")
    assert any(kind in verdict.because and "ignored as declared" in verdict.because for verdict in verdicts)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"expectations": [1]}', '{"expectations": [{}]}', '{"expectations": 3}'])
def test_a_file_that_is_no_suite_is_told(tmp_path, text):
    (tmp_path / "suite.json").write_text(text)
    checks = read(Checks, "suite.json")
    with pytest.raises(Faulty, match=r"suite\.json"):
        judge("rows", checks, [], Around(now=datetime(2020, 1, 1, tzinfo=UTC), code=tmp_path))


def test_a_suite_that_is_not_there_is_told(tmp_path):
    with pytest.raises(Faulty, match="cannot be read"):
        judge("rows", read(Checks, "suite.json"), [], Around(now=datetime(2020, 1, 1, tzinfo=UTC), code=tmp_path))
