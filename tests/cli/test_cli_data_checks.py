"""`data check` and `data propose`: what a person sees, what a script reads, and what becomes of towpath.yaml."""

import json

import polars as pl
import pytest
from ruamel.yaml import YAML

from towpath.cli.checks_file import with_checks
from towpath.project_file import load

START = """\
# a little project
name: small          # its name
data:
  rows:
    path: "rows/*.csv"   # one a month
    checks:
      rows: {min: 3}
      columns:
        a: {type: integer, nulls: 0, min: 0, max: 9}
      expressions: ["b <= a"]
      foreign_keys: {k: names.k}
  names: names.csv
model: {task: binary, rows: rows, label: b}
gates:
    - auc >= 0.5   # better than a coin
"""


@pytest.fixture
def checked(tmp_path):
    """A project of two files of rows, and names for their keys."""
    (tmp_path / "towpath.yaml").write_text(START)
    (tmp_path / "names.csv").write_text("k\nx\ny\n")
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "1.csv").write_text("a,b,k\n1,0,x\n2,1,y\n3,0,x\n")
    (tmp_path / "rows" / "2.csv").write_text("a,b,k\n4,1,x\n5,1,y\n")
    return tmp_path


def test_sound_data_holds(run, checked):
    said = run("data", "check", "--project", checked)
    assert said.code == 0, said
    assert said.out.splitlines() == ["rows: 6 checks, all hold", "names: 3 checks, all hold"]


def test_bad_rows_are_quoted_and_the_exit_code_says_no(run, checked):
    (checked / "rows" / "2.csv").write_text("a,b,k\n4,1,x\n-5,1,z\n")
    said = run("data", "check", "rows", "--project", checked)
    assert said.code == 1
    assert said.out == (
        "rows: 6 checks, 3 say no\n"
        "  fail  rows: rows/2.csv: column a is outside 0 to 9 in 1 of 2 rows, such as -5 in row 2\n"
        "          rows/2.csv row 2: -5\n"
        "  fail  rows: rows/2.csv: `b <= a` does not hold in 1 of 2 rows, such as b 1, a -5 in row 2\n"
        "          rows/2.csv row 2: b 1, a -5\n"
        "  fail  rows: rows/2.csv: column k is not in names.k in 1 of 2 rows, such as 'z' in row 2\n"
        "          rows/2.csv row 2: 'z'\n"
        "  all rows at fault: `towpath data check rows --rows FILE.parquet`\n"
    )
    told = json.loads(run("data", "check", "rows", "--project", checked, "--json").out)
    assert [(one["dataset"], one["holds"]) for one in told] == [("rows", False)]
    assert [one["numbers"]["count"] for one in told[0]["verdicts"] if one["answer"] == "fail"] == [1, 1, 1]


def test_the_rows_at_fault_go_into_a_file(run, checked, tmp_path):
    (checked / "rows" / "2.csv").write_text("a,b,k\n4,1,x\n-5,1,z\n")
    file = tmp_path / "bad.parquet"
    assert run("data", "check", "rows", "--project", checked, "--rows", file).code == 1
    assert pl.read_parquet(file).select("towpath_file", "towpath_row", "a", "k").rows() == [("rows/2.csv", 2, -5, "z")]
    again = run("data", "check", "rows", "--project", checked, "--rows", file)
    assert (again.code, "there is a" in again.err) == (2, True)
    none = run("data", "check", "names", "--project", checked, "--rows", tmp_path / "none.parquet")
    assert (none.code, "no row of names is at fault" in none.err) == (1, True)
    lost = run("data", "check", "rows", "--project", checked, "--rows", tmp_path / "nowhere" / "bad.parquet")
    assert (lost.code, "bad.parquet cannot be written" in lost.err) == (1, True)
    both = run("data", "check", "--project", checked, "--rows", tmp_path / "both.parquet")
    assert (both.code, "--rows writes one file" in both.err) == (2, True)


def test_the_rows_that_a_schema_refuses_are_written_too(run, checked, tmp_path):
    (checked / "towpath.yaml").write_text(START.replace("      rows: {min: 3}\n", "      pandera: schemas\n"))
    (checked / "schemas.py").write_text("import pandera.polars as pa\nrows = pa.DataFrameSchema({'a': pa.Column(int, pa.Check.lt(5))})\n")
    (checked / "rows" / "2.csv").write_text("a,b,k\n4,1,x\n-5,1,z\n5,1,x\n")
    file = tmp_path / "bad.parquet"
    said = run("data", "check", "rows", "--project", checked, "--rows", file)
    assert "fails `less_than(5)` in 1 of 3 rows, such as 5 in row 3" in said.out
    assert pl.read_parquet(file).select("towpath_row", "a").rows() == [(2, -5), (3, 5)]


def test_a_slip_in_an_expression_has_its_line(run, checked):
    (checked / "towpath.yaml").write_text(START.replace("b <= a", "b <= "))
    said = run("data", "check", "--project", checked)
    assert said.code == 2
    assert "towpath.yaml:10: `b <= ` is no expression" in said.err


@pytest.mark.parametrize("words", [("check", "row"), ("propose", "row")])
def test_an_unknown_dataset_gets_the_nearest(run, checked, words):
    said = run("data", *words, "--project", checked)
    assert (said.code, "did you mean rows?" in said.err) == (2, True)


def test_proposed_checks_are_printed_and_written_with_all_else_as_it_was(run, checked):
    printed = run("data", "propose", "names", "--project", checked)
    assert printed.code == 0
    assert YAML(typ="safe").load(printed.out) == {
        "data": {"names": {"checks": {"rows": {"min": 1}, "columns": {"k": {"type": "string", "nulls": 0}}}}}
    }
    assert (checked / "towpath.yaml").read_text() == START
    written = run("data", "propose", "names", "--project", checked, "--write")
    assert (written.code, "checks of 1 column were written" in written.out) == (0, True)
    text = (checked / "towpath.yaml").read_text()
    assert text == START.replace(
        "  names: names.csv\n",
        "  names:\n    path: names.csv\n    checks:\n      rows: {min: 1}\n      columns:\n        k: {type: string, nulls: 0}\n",
    )
    assert load(checked, {}).data["names"].checks.columns["k"].type == "string"
    assert run("data", "check", "--project", checked).code == 0


def test_checks_that_are_there_are_not_written_over(run, checked):
    said = run("data", "propose", "rows", "--project", checked, "--write")
    assert (said.code, "has checks already" in said.err) == (2, True)
    assert (checked / "towpath.yaml").read_text() == START


def test_a_file_that_cannot_be_read_is_told_before_anything_is_proposed(run, checked):
    (checked / "names.csv").write_text("")
    said = run("data", "propose", "names", "--project", checked)
    assert (said.code, "names.csv cannot be read" in said.err) == (1, True)


@pytest.mark.parametrize(
    "text",
    [
        "data: {d: d.csv}\n",
        "# before\ndata: {d: {path: d.csv, time: t}, e: e.csv}   # data\n\n# after\nmodel: {a: 'b'}\n",
        'data:\n    d:\n        path: ${WHERE}/d.csv\n        time: t\n    e: "e.csv"\nlist:\n- a\n- b # c\n',
        "data:\n  d: d.csv\nlist:\n  - x: 1\n    y: [1,\n       2]\n",
    ],
)
def test_whatever_else_stands_in_the_file_stays(text):
    found = with_checks(text, "d", {"rows": {"min": 1}, "columns": {"a": {"nulls": 0, "values": ["no", "1", "x y"]}}})
    before, after = (YAML(typ="safe").load(one) for one in (text, found))
    given = before["data"]["d"]
    before["data"]["d"] = (given if isinstance(given, dict) else {"path": given}) | {
        "checks": {"rows": {"min": 1}, "columns": {"a": {"nulls": 0, "values": ["no", "1", "x y"]}}}
    }
    assert after == before
    for line in text.splitlines():
        assert line.partition("#")[2] in found
        assert line.startswith("data:") or line.strip().startswith("d:") or line in found or "[" in line or "2]" in line
