"""Two people, two clones and one remote: push, pull, check out, merge, collect."""

import shutil

import polars as pl
import pytest
from tests.cli.clones import commit, git, told

from towpath.locks import RUN, STORE, lock_of


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def ada(tmp_path):
    """The first clone, with two datasets added, and a bare repository and a remote that others can reach."""
    (tmp_path / "shared").mkdir()
    home = tmp_path / "ada"
    for number in range(200):
        path = home / "images" / f"{number % 7}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d" % number * 50)
    (home / "rides").mkdir()
    for month in (1, 2):
        pl.DataFrame({"a": range(month * 100_000)}).write_parquet(home / f"rides/{month}.parquet")
    yaml = "name: small\nremote: ../shared\ndata: {images: images, rides: rides/*.parquet}\nmodel: {task: binary, rows: rides, label: a}\n"
    (home / "towpath.yaml").write_text(yaml)
    (home / ".gitignore").write_text(".towpath/\nimages/\nrides/\n")
    git(home, "init", "-q")
    return home


@pytest.fixture
def grace(ada, tmp_path, run):
    """The second clone, after the first pushed."""
    told(run, "add", cwd=ada)
    told(run, "push", cwd=ada)
    commit(ada, "base")
    git(tmp_path, "clone", "-q", "--bare", str(ada), "hub")
    git(ada, "remote", "add", "origin", str(tmp_path / "hub"))
    git(tmp_path, "clone", "-q", str(tmp_path / "hub"), "grace")
    return tmp_path / "grace"


def test_a_clone_and_the_remote_are_enough(run, ada, grace):
    rows = told(run, "checkout", cwd=grace)
    assert [row["written"] for row in rows] == [200, 2]
    assert files(grace / "images") == files(ada / "images")
    assert files(grace / "rides") == files(ada / "rides")
    assert "as locked" in run("data", "status", cwd=grace).out


def test_pull_brings_and_check_out_needs_no_remote_then(run, grace, tmp_path):
    moved = told(run, "pull", cwd=grace)
    assert moved["objects"] == 202
    assert told(run, "pull", cwd=grace)["objects"] == 0
    (tmp_path / "shared").rename(tmp_path / "away")
    assert told(run, "checkout", cwd=grace)[0]["written"] == 200


def test_an_old_commit_comes_back_in_a_fresh_clone(run, ada, grace, tmp_path):
    first = files(ada / "images")
    (ada / "images/1/1.png").write_bytes(b"changed")
    told(run, "add", cwd=ada)
    told(run, "push", cwd=ada)
    commit(ada, "changed")
    git(ada, "push", "-q", "origin", "HEAD")
    git(grace, "pull", "-q")
    told(run, "checkout", cwd=grace)
    assert (grace / "images/1/1.png").read_bytes() == b"changed"
    git(grace, "checkout", "-q", "HEAD~1")
    told(run, "checkout", cwd=grace)
    assert files(grace / "images") == first


def test_a_push_sends_what_is_new(run, ada, grace):
    assert told(run, "push", cwd=ada)["sent"] == 0
    (ada / "images/1/1.png").write_bytes(b"changed")
    told(run, "add", cwd=ada)
    planned = told(run, "push", "--dry-run", cwd=ada)
    moved = told(run, "push", cwd=ada)
    assert planned["objects"] == moved["objects"] > 0
    assert moved["sent"] < 40_000


def test_two_who_both_added_data_have_both_after_a_merge(run, ada, grace):
    told(run, "checkout", cwd=grace)
    for home, month in ((ada, 3), (grace, 4)):
        pl.DataFrame({"a": range(month)}).write_parquet(home / f"rides/{month}.parquet")
        told(run, "add", cwd=home)
        told(run, "push", cwd=home)
        commit(home, f"month {month}")
    git(ada, "push", "-q", "origin", "HEAD")
    git(grace, "pull", "-q", "--no-rebase", "--no-edit")
    told(run, "checkout", cwd=grace)
    assert sorted(path.name for path in (grace / "rides").iterdir()) == ["1.parquet", "2.parquet", "3.parquet", "4.parquet"]
    assert told(run, "push", cwd=grace)["objects"] == 0  # the merge left its snapshot where all can get it


def test_collecting_removes_what_no_commit_names_and_nothing_else(run, ada, grace):
    (ada / "images/1/1.png").write_bytes(b"x" * 100_000)
    told(run, "add", cwd=ada)
    (ada / "images/1/1.png").write_bytes(b"1" * 50)
    told(run, "add", cwd=ada)
    planned = told(run, "gc", "--dry-run", cwd=ada)["here"]
    assert planned["removed_size"] >= 100_000
    assert told(run, "gc", cwd=ada)["here"] == {**planned, "dry_run": False}
    assert told(run, "gc", cwd=ada)["here"]["removed"] == 0
    shutil.rmtree(ada / "images")
    (ada / "rides/1.parquet").unlink()
    told(run, "checkout", cwd=ada)
    assert files(ada / "images")["1/1.png"] == b"1" * 50


def test_an_older_commits_data_survives_collecting(run, ada, grace):
    (ada / "images/1/1.png").write_bytes(b"changed")
    told(run, "add", cwd=ada)
    commit(ada, "changed")
    told(run, "gc", cwd=ada)
    (ada.parent / "shared").rename(ada.parent / "away")
    (ada.parent / "shared").mkdir()
    git(ada, "checkout", "-q", "HEAD~1")
    told(run, "checkout", cwd=ada)
    assert (ada / "images/1/1.png").read_bytes() == b"1" * 50


@pytest.mark.parametrize("kind", [RUN, STORE])
def test_nothing_is_collected_while_somebody_puts(run, ada, grace, kind):
    with lock_of(ada / ".towpath", kind).held("a run by hand", shared=kind == STORE):
        said = run("data", "gc", cwd=ada)
        assert said.code == 1
        assert "a run by hand is going on" in said.err


def test_without_a_remote_the_key_to_write_is_told(run, ada):
    (ada / "towpath.yaml").write_text((ada / "towpath.yaml").read_text().replace("remote: ../shared\n", ""))
    told(run, "add", cwd=ada)
    for verb in ("push", "pull"):
        said = run("data", verb, cwd=ada)
        assert said.code == 2
        assert "remote: s3://bucket/prefix" in said.err


def test_a_remote_that_lost_a_pack_is_told_with_the_way_on(run, ada, grace, tmp_path):
    for pack in (tmp_path / "shared" / "packs").rglob("*"):
        if pack.is_file():
            pack.chmod(0o644)
            pack.unlink()
    said = run("data", "pull", cwd=grace)
    assert said.code == 1
    assert "is not there" in said.err


def test_what_changed_in_the_store_is_found_and_named(run, ada, grace):
    assert run("verify", "store", "--remote", cwd=ada).code == 0
    assert run("verify", "data", cwd=ada).code == 0
    (pack,) = (ada / ".towpath/store/packs").glob("*.pack")
    data = bytearray(pack.read_bytes())
    data[60] ^= 1
    pack.chmod(0o644)
    pack.write_bytes(data)
    for what in ("store", "data"):
        said = run("verify", what, cwd=ada)
        assert said.code == 1
        assert "is corrupt" in said.out


def test_what_is_nowhere_is_found(run, ada, grace, tmp_path):
    shutil.rmtree(grace / ".towpath", ignore_errors=True)
    assert run("verify", "data", cwd=grace).code == 0
    shutil.rmtree(tmp_path / "shared")
    (tmp_path / "shared").mkdir()
    said = run("verify", "data", cwd=grace)
    assert said.code == 1
    assert "images" in said.out


def test_a_check_out_links_large_files_that_the_remote_has_too(run, ada, grace):
    told(run, "checkout", "--link", cwd=grace)
    assert (grace / "rides/2.parquet").stat().st_nlink == 2
    assert (grace / "rides/2.parquet").stat().st_mode & 0o222 == 0
    assert files(grace / "rides") == files(ada / "rides")
    (ada / "rides/1.parquet").unlink()
    pl.DataFrame({"a": range(300_000)}).write_parquet(ada / "rides/3.parquet")
    told(run, "add", cwd=ada)  # and not pushed
    (ada / "rides/3.parquet").unlink()
    told(run, "checkout", "--link", "--force", cwd=ada)
    assert (ada / "rides/3.parquet").stat().st_nlink == 1
