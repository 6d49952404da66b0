"""`towpath data diff`: which versions may be named, what is said of them, and what goes wrong."""

import json
import os
import subprocess

import polars as pl
import pytest

AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@b")


def git(folder, *words):
    return subprocess.run(["git", *AUTHOR, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def month(number, rows=200):
    return pl.DataFrame({"id": [number * 1000 + row for row in range(rows)], "km": [float(row % 40) for row in range(rows)]})


@pytest.fixture
def rides(tmp_path, run):
    """A project with two commits of its data: January; then February too, with a mended January."""
    (tmp_path / "rides").mkdir()
    (tmp_path / "towpath.yaml").write_text(
        "name: small\ndata: {rides: {path: rides/*.parquet, key: [id]}, zones: zones.csv}\nmodel: {task: binary, rows: rides, label: km}\n"
    )
    (tmp_path / "zones.csv").write_text("zone,fare\nnorth,3\n")
    (tmp_path / ".gitignore").write_text(".towpath/\nrides/\n")
    git(tmp_path, "init", "-q")
    month(1).write_parquet(tmp_path / "rides/1.parquet")
    assert run("data", "add", cwd=tmp_path).code == 0
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "-qm", "one")
    month(1).with_columns(km=pl.col("km").replace(39.0, 0.0)).write_parquet(tmp_path / "rides/1.parquet")
    month(2).write_parquet(tmp_path / "rides/2.parquet")
    assert run("data", "add", cwd=tmp_path).code == 0
    git(tmp_path, "commit", "-qam", "two")
    return tmp_path


def told(run, *words, cwd):
    said = run("data", "diff", *words, "--json", cwd=cwd)
    assert said.code == 0, said.err
    return json.loads(said.out)


def digest_of(text, name="rides"):
    return next(line.split()[1] for line in text.splitlines() if line.startswith(name))


def test_left_out_it_is_the_lock_beside_the_files_as_they_are(run, rides):
    assert [row["files"]["added"] for row in told(run, cwd=rides)] == [[], []]
    said = run("data", "diff", cwd=rides).out
    assert said.startswith("rides: lock (")
    assert "nothing differs: 2 files" in said
    month(3, 7).write_parquet(rides / "rides/3.parquet")
    (row,) = told(run, "rides", cwd=rides)
    assert (row["before"], row["after"], row["rows"]["added"], row["rows"]["after"]) == ("lock", "work", 7, 407)


def test_every_way_to_name_a_version_gives_the_same(run, rides):
    digest = digest_of(git(rides, "show", "HEAD~1:towpath.lock"))
    commit = git(rides, "rev-parse", "HEAD~1").strip()
    git(rides, "tag", "v1", "HEAD~1")
    rows = [told(run, name, "lock", "rides", cwd=rides)[0]["rows"] for name in ("HEAD~1", "v1", commit, commit[:9], digest[:8], digest)]
    assert all(one == rows[0] for one in rows)
    assert (rows[0]["added"], rows[0]["removed"], rows[0]["changed"]) == (200, 0, 5)
    assert rows[0]["some_changed"][0] == {"key": {"id": 1039}, "columns": {"km": [39.0, 0.0]}}


def test_a_snapshots_digest_is_of_one_dataset(run, rides):
    digest = digest_of((rides / "towpath.lock").read_text())
    assert [row["dataset"] for row in told(run, digest[:10], cwd=rides)] == ["rides"]
    other = digest_of((rides / "towpath.lock").read_text(), "zones")
    said = run("data", "diff", digest[:10], other[:10], cwd=rides)
    assert (said.code, "the snapshots are of rides and zones" in said.err) == (2, True)


def test_two_ways_round_mirror_each_other(run, rides):
    (there,), (back,) = told(run, "HEAD~1", "HEAD", "rides", cwd=rides), told(run, "HEAD", "HEAD~1", "rides", cwd=rides)
    assert (there["files"]["added"], there["files"]["changed"]) == (back["files"]["removed"], back["files"]["changed"])
    assert there["rows"]["added"] == back["rows"]["removed"] == 200
    assert there["rows"]["some_added"] == back["rows"]["some_removed"]


def test_a_person_sees_what_happened(run, rides):
    said = run("data", "diff", "HEAD~1", "HEAD", "rides", cwd=rides).out
    for line in (
        "files    1 added, 1 changed; 0 as they were",
        "+ rides/2.parquet",
        "rows     200 added, 5 changed by id; 200 -> 400",
        "changed in km (5)",
        "~ id=1039: km 39 -> 0",
        "+ id=2000, km=0",
    ):
        assert line in said


def test_a_dataset_without_a_key_has_removed_and_added_rows(run, rides):
    (rides / "zones.csv").write_text("zone,fare\nnorth,4\n")
    (row,) = told(run, "zones", cwd=rides)
    assert (row["rows"]["added"], row["rows"]["removed"], row["rows"]["changed"]) == (1, 1, 0)
    assert "no `key` is declared" in run("data", "diff", "zones", cwd=rides).out


def test_a_dataset_that_a_version_does_not_have_was_added(run, rides):
    (rides / "towpath.lock").write_text(
        "".join(line + "\n" for line in (rides / "towpath.lock").read_text().splitlines() if "zones" in line)
    )
    row = told(run, "lock", "work", "rides", cwd=rides)[0]
    assert (row["digest_before"], row["rows"]["before"], row["rows"]["added"]) == ("", 0, 400)


def test_a_file_that_is_no_table_is_told_and_not_a_traceback(run, rides):
    (rides / "rides/2.parquet").write_bytes(b"cut off")
    said = run("data", "diff", "rides", cwd=rides)
    assert (said.code, "trouble  rows are not compared: rides/2.parquet cannot be read" in said.out) == (0, True)


def test_names_that_are_no_utf8_are_written_as_escapes(run, rides):
    (rides / "rides" / os.fsdecode(b"caf\xe9.parquet")).write_bytes(b"no")
    assert told(run, "rides", cwd=rides)[0]["files"]["added"] == ["rides/caf\\xe9.parquet"]
    assert "rides/caf\\xe9.parquet" in run("data", "diff", "rides", cwd=rides).out


def test_null_nan_and_times_are_printed(run, rides):
    odd = pl.DataFrame({"id": [1, 2], "km": [None, float("nan")]}, schema={"id": pl.Int64, "km": pl.Float64})
    odd.write_parquet(rides / "rides/3.parquet")
    assert told(run, "rides", cwd=rides)[0]["rows"]["some_added"] == [{"id": 1, "km": None}, {"id": 2, "km": None}]
    assert "+ id=1, km=null" in run("data", "diff", "rides", cwd=rides).out


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["nope"], "'nope' is no version"),
        (["0123abcd"], "'0123abcd' is no version"),
        (["lock", "work", "ride"], "did you mean rides"),
        (["0" * 64], "is no version"),
        (["v0"], "has no towpath.lock"),
    ],
)
def test_what_is_no_version_and_no_dataset_is_named_with_the_mend(run, rides, words, wanted):
    git(rides, "checkout", "-q", "--orphan", "other")
    git(rides, "rm", "-q", "--cached", "towpath.lock")
    git(rides, "commit", "-qm", "none")
    git(rides, "tag", "v0")
    said = run("data", "diff", *words, cwd=rides)
    assert (said.code, wanted in said.err) == (2, True), said.err


def test_a_version_that_was_never_pulled_says_pull(run, rides):
    (rides / "towpath.lock").write_text(f"rides {'0' * 64} 3\n")
    said = run("data", "diff", cwd=rides)
    assert (said.code, "towpath data pull" in said.err) == (2, True)


def test_without_a_lock_there_is_nothing_to_compare_with(run, rides):
    (rides / "towpath.lock").unlink()
    said = run("data", "diff", cwd=rides)
    assert (said.code, "towpath data add" in said.err) == (2, True)
