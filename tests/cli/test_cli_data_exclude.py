"""`towpath data exclude`: trying, excluding, listing, lifting, and what it refuses."""

import json

import pytest

from towpath.data import exclude as excluding


@pytest.fixture
def rides(tmp_path):
    (tmp_path / "rides.csv").write_text(
        "id,km,zone\n" + "".join(f"{row},{row % 10},{'north' if row % 2 else 'south'}\n" for row in range(50))
    )
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/a.txt").write_text("a")
    (tmp_path / "towpath.yaml").write_text(
        "name: small\ndata: {rides: {path: rides.csv, checks: {columns: {km: {max: 8}}}}, notes: notes}\n"
        "model: {task: binary, rows: rides, label: km}\n"
    )
    return tmp_path


def told(run, *words, cwd):
    said = run("data", "exclude", *words, "--json", cwd=cwd)
    assert said.code == 0, said.err
    return json.loads(said.out)


def test_a_trial_says_how_many_with_five_of_them_and_notes_nothing(run, rides):
    row = told(run, "rides", "--where", "km > 7", "--dry-run", cwd=rides)
    assert (row["rows"], row["of_rows"], row["exclusion"], len(row["examples"])) == (10, 50, 0, 5)
    assert row["examples"][0] == {"id": 8, "km": 8, "zone": "south"}
    assert told(run, "rides", "--list", cwd=rides) == []
    assert "10 of 50 rows (20.00%) would be left out" in run("data", "exclude", "rides", "--where", "km > 7", "--dry-run", cwd=rides).out


def test_it_is_noted_listed_and_lifted_with_reasons(run, rides):
    assert told(run, "rides", "--where", "km > 8", "--reason", "broken meter", cwd=rides)["exclusion"] == 1
    assert told(run, "rides", "--where", "zone = 'south'", "--reason", "not ours", cwd=rides)["exclusion"] == 2
    assert told(run, "rides", "--lift", "1", "--reason", "mended", cwd=rides)["kind"] == "ExclusionLifted"
    listed = told(run, "rides", "--list", cwd=rides)
    assert [(one["where"], bool(one["lifted"])) for one in listed] == [("km > 8", True), ("zone = 'south'", False)]
    words = run("data", "exclude", "rides", "--list", cwd=rides).out
    assert "mended" in words
    assert "broken meter" in words
    history = run("history", cwd=rides).out
    assert "left the rows of rides out where km > 8: broken meter" in history
    assert "exclusion 1 was lifted by" in history


def test_checks_by_hand_see_what_a_run_sees(run, rides):
    assert run("data", "check", "rides", cwd=rides).code == 1
    told(run, "rides", "--where", "km > 8", "--reason", "broken meter", cwd=rides)
    said = run("data", "check", "rides", cwd=rides)
    assert said.code == 0, said.out


def test_an_exclusion_that_touches_nothing_asks_whether_that_was_meant(run, rides):
    assert "is that what you meant?" in run("data", "exclude", "rides", "--where", "km > 99", "--reason", "x", cwd=rides).out


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--where", "km >", "--reason", "x"], "is no expression"),
        (["--where", "zones = 3", "--reason", "x"], "did you mean zone?"),
        (["--where", "km + 1", "--reason", "x"], "neither true nor false"),
        (["--where", "1 = 1", "--reason", "x"], "names no column"),
        (["--where", "km > avg(km)", "--reason", "x"], "looks at more than one row"),
        (["--where", "row_number() over (order by km) = 1", "--reason", "x"], "looks at more than one row"),
        (["--where", "max(km) > 1", "--reason", "x"], "one answer for all rows"),
        (["--where", "km in (select km from self)", "--reason", "x"], "no expression"),
        (["--where", "zone > 3", "--reason", "x"], "cannot be asked of these rows"),
        (["--where", "km > 3"], "a reason is missing"),
        (["--where", "km > 3", "--reason", " "], "a reason is missing"),
        (["--lift", "7", "--reason", "x"], "no exclusion called '7'"),
        ([], "one thing at a time"),
        (["--where", "km > 3", "--list"], "one thing at a time"),
    ],
)
def test_what_cannot_be_is_refused_with_the_mend(run, rides, words, wanted):
    said = run("data", "exclude", "rides", *words, cwd=rides)
    assert (said.code, wanted in said.err) == (2, True), said.err
    assert told(run, "rides", "--list", cwd=rides) == []


def test_files_have_no_rows_and_an_unknown_dataset_gets_the_nearest(run, rides):
    assert "is files, not a table" in run("data", "exclude", "notes", "--where", "a > 1", "--reason", "x", cwd=rides).err
    assert "did you mean rides?" in run("data", "exclude", "ride", "--list", cwd=rides).err


def test_the_same_twice_is_refused_and_another_datasets_number_too(run, rides):
    told(run, "rides", "--where", "km > 8", "--reason", "x", cwd=rides)
    assert "exclusion 1 of rides says the same" in run("data", "exclude", "rides", "--where", "km > 8", "--reason", "y", cwd=rides).err
    assert "exclusion 1 is not of notes" in run("data", "exclude", "notes", "--lift", "1", "--reason", "y", cwd=rides).err


def test_an_answer_of_null_touches_no_row():
    frame = excluding.pl.DataFrame({"km": [1.0, None, float("nan"), 9.0]})
    assert excluding.touched(frame, "km > 5").to_list() == [False, False, False, True]
    assert excluding.touched(frame, "km is null").to_list() == [False, True, True, False]
