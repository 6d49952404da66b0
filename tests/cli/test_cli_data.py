"""`towpath data`: what a person does with versions of data, and what goes wrong there."""

import json
import os
import subprocess
import time

import polars as pl
import pytest

from towpath.stamps import TICK_NS

AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@b")


def git(folder, *words):
    return subprocess.run(["git", *AUTHOR, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def images(tmp_path):
    """A project with a folder of files and a table of two months."""
    for number in range(300):
        path = tmp_path / "images" / f"{number % 7}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d" % number * 50)
    (tmp_path / "rides").mkdir()
    for month in (1, 2):
        pl.DataFrame({"a": range(month * 10)}).write_parquet(tmp_path / f"rides/{month}.parquet")
    (tmp_path / "towpath.yaml").write_text(
        "name: small\ndata: {images: images, rides: rides/*.parquet}\nmodel: {task: binary, rows: rides, label: a}\n"
    )
    (tmp_path / ".gitignore").write_text(".towpath/\nimages/\nrides/\n")
    git(tmp_path, "init", "-q")
    return tmp_path


def commit(folder, subject):
    git(folder, "add", "--all")
    git(folder, "commit", "-qm", subject)


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def told(run, *words, cwd):
    said = run("data", *words, "--json", cwd=cwd)
    assert said.code == 0, said.err
    return json.loads(said.out)


def test_add_writes_a_sorted_line_a_dataset_and_reads_nothing_twice(run, images):
    time.sleep(1.2e-9 * TICK_NS)  # so old that their marks are trusted
    rows = told(run, "add", cwd=images)
    assert [(row["dataset"], row["files"], row["rows"], row["read"]) for row in rows] == [("images", 300, -1, 300), ("rides", 2, 30, 2)]
    lines = (images / "towpath.lock").read_text().splitlines()
    assert [line.split()[0::2] for line in lines] == [["images", "-"], ["rides", "30"]]
    again = told(run, "add", cwd=images)
    assert [(row["before"] == row["digest"], row["read"]) for row in again] == [(True, 0), (True, 0)]
    (images / "images/0/0.png").write_bytes(b"changed")
    assert [row["read"] for row in told(run, "add", cwd=images)] == [1, 0]


def test_status_names_what_is_new_changed_and_gone_and_writes_nothing(run, images):
    assert "never added" in run("data", "status", cwd=images).out
    told(run, "add", cwd=images)
    assert "as locked: 300 files" in run("data", "status", "images", cwd=images).out
    before = files(images / ".towpath/store")
    (images / "images/1/1.png").write_bytes(b"changed")
    (images / "images/2/2.png").unlink()
    (images / "images/new\nline.png").write_bytes(b"new")
    row = told(run, "status", "images", cwd=images)[0]
    assert (row["added"], row["changed"], row["removed"]) == (["images/new\nline.png"], ["images/1/1.png"], ["images/2/2.png"])
    assert files(images / ".towpath/store") == before


def test_an_old_commit_brings_its_data_back(run, images):
    told(run, "add", cwd=images)
    commit(images, "one")
    first = files(images / "images")
    (images / "images/1/1.png").write_bytes(b"changed")
    (images / "images/2/2.png").unlink()
    (images / "images/deep/er").mkdir(parents=True)
    (images / "images/deep/er/new.png").write_bytes(b"new")
    told(run, "add", cwd=images)
    commit(images, "two")
    second = files(images / "images")
    git(images, "checkout", "-q", "HEAD~1")
    row = told(run, "checkout", "images", cwd=images)[0]
    assert (row["written"], row["removed"]) == (2, 1)
    assert files(images / "images") == first
    assert not (images / "images/deep").exists()
    git(images, "checkout", "-q", "-")
    told(run, "checkout", cwd=images)
    assert files(images / "images") == second
    rows = told(run, "history", "images", cwd=images)
    assert [row["subject"] for row in rows] == ["two", "one"]


def test_what_was_never_added_is_not_lost_unless_forced(run, images):
    told(run, "add", cwd=images)
    (images / "images/1/1.png").write_bytes(b"hours of work")
    for words in (("checkout",), ("checkout", "--dry-run")):
        said = run("data", *words, cwd=images)
        assert said.code == 1
        assert "images/1/1.png would be lost" in said.err
    assert (images / "images/1/1.png").read_bytes() == b"hours of work"
    assert told(run, "checkout", "--force", cwd=images)[0]["written"] == 1
    assert (images / "images/1/1.png").read_bytes() == b"1" * 50


def test_a_dry_run_writes_nothing(run, images):
    told(run, "add", cwd=images)
    (images / "images/1/1.png").unlink()
    assert told(run, "checkout", "images", "--dry-run", cwd=images)[0]["written"] == 1
    assert not (images / "images/1/1.png").exists()


def test_a_linked_file_is_read_only_and_the_same(run, images):
    told(run, "add", "images", "--link", cwd=images)
    file = images / "images/1/1.png"
    assert file.stat().st_nlink == 2
    assert file.stat().st_mode & 0o222 == 0
    assert "as locked" in run("data", "status", "images", cwd=images).out


def test_an_added_file_shares_nothing_with_the_store(run, images):
    told(run, "add", cwd=images)
    assert (images / "images/1/1.png").stat().st_nlink == 1


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("rides nonsense 3\n", "towpath.lock:1"),
        ("<<<<<<< ours\nrides x 3\n=======\n", "git checkout --ours"),
    ],
)
def test_a_lock_that_is_none_is_named_with_the_mend(run, images, text, wanted):
    (images / "towpath.lock").write_text(text)
    said = run("data", "status", cwd=images)
    assert said.code == 2
    assert wanted in said.err


def test_a_snapshot_that_is_not_here_says_pull(run, images):
    (images / "towpath.lock").write_text(f"rides {'0' * 64} 3\n")
    assert "towpath data pull rides" in run("data", "status", "rides", cwd=images).out
    said = run("data", "checkout", "rides", cwd=images)
    assert said.code == 2
    assert "towpath data pull rides" in said.err


def test_a_pointer_of_git_lfs_is_told(run, images):
    (images / "images/1/1.png").write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 3\n")
    said = run("data", "add", cwd=images)
    assert said.code == 2
    assert "git lfs pull" in said.err


def test_a_pipe_among_the_files_is_named_and_not_waited_for(run, images):
    os.mkfifo(images / "images/pipe")
    expected = f"{images}/images/pipe is no file, but a pipe"
    assert expected in run("data", "status", cwd=images).out
    said = run("data", "add", cwd=images)
    assert (said.code, expected in said.err) == (2, True)


def test_links_in_a_circle_and_to_nowhere_are_named(run, images):
    (images / "images/circle").symlink_to(images / "images")
    said = run("data", "add", "images", cwd=images)
    assert (said.code, "circle" in said.err) == (2, True)
    (images / "images/circle").unlink()
    (images / "images/lost.png").symlink_to("nowhere.png")
    said = run("data", "add", "images", cwd=images)
    assert (said.code, "lost.png" in said.err) == (2, True)


def test_names_that_are_no_utf8_come_back(run, images):
    strange = os.fsdecode(b"caf\xe9.png")
    (images / "images" / strange).write_bytes(b"coffee")
    told(run, "add", cwd=images)
    (images / "images" / strange).unlink()
    assert told(run, "status", "images", cwd=images)[0]["removed"] == ["images/caf\\xe9.png"]
    told(run, "checkout", cwd=images)
    assert (images / "images" / strange).read_bytes() == b"coffee"


def test_an_unknown_dataset_gets_the_nearest(run, images):
    said = run("data", "add", "image", cwd=images)
    assert (said.code, "images" in said.err) == (2, True)


def test_branches_that_both_added_data_merge(run, images):
    told(run, "add", cwd=images)
    commit(images, "base")
    trunk = git(images, "branch", "--show-current").strip()
    for branch, month in (("one", 3), ("two", 4)):
        git(images, "checkout", "-qb", branch, trunk)
        told(run, "checkout", "--force", cwd=images)
        pl.DataFrame({"a": range(month)}).write_parquet(images / f"rides/{month}.parquet")
        told(run, "add", cwd=images)
        commit(images, branch)
    git(images, "merge", "-q", "one", "-m", "both")
    told(run, "checkout", cwd=images)
    assert sorted(path.name for path in (images / "rides").iterdir()) == ["1.parquet", "2.parquet", "3.parquet", "4.parquet"]
    assert (images / "towpath.lock").read_text().splitlines()[1].endswith(" 37")


def test_branches_that_contradict_each_other_leave_both_lines(run, images):
    told(run, "add", cwd=images)
    commit(images, "base")
    trunk = git(images, "branch", "--show-current").strip()
    for branch in ("one", "two"):
        git(images, "checkout", "-qb", branch, trunk)
        told(run, "checkout", "--force", cwd=images)
        (images / "images/1/1.png").write_text(branch)
        told(run, "add", cwd=images)
        commit(images, branch)
    merged = subprocess.run(["git", *AUTHOR, "merge", "one"], cwd=images, check=False, capture_output=True, text=True)
    assert merged.returncode == 1
    assert "both branches changed images/1/1.png" in merged.stderr + merged.stdout
    assert "git checkout --ours" in run("data", "status", cwd=images).err
    git(images, "checkout", "--theirs", "towpath.lock")
    status = told(run, "status", "images", cwd=images)[0]
    assert status["changed"] == ["images/1/1.png"]
    told(run, "checkout", cwd=images)
    assert (images / "images/1/1.png").read_text() == "one"
