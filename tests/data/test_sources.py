"""What towpath.yaml may declare as a source, and how commands and the loop treat data that lie elsewhere."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from pathlib import Path

import polars as pl
import pytest
from tests.loop import little

from towpath import wiring
from towpath.cli import main
from towpath.data.add import add
from towpath.data.compare import here
from towpath.data.index import Index
from towpath.data.manifest import files_of, manifest
from towpath.data.seldom import Seldom
from towpath.data.sources import address, marked
from towpath.data.walk import base_of, below
from towpath.errors import ProjectError
from towpath.events import Outcome, SnapshotTaken
from towpath.project import Dataset
from towpath.project_fields import plain
from towpath.project_file import load
from towpath.store.local import LocalStore

HEAD = "name: a\nmodel: {task: binary, rows: rides, label: late}\n"


def declared(tmp_path: Path, data: str, environ: dict[str, str] | None = None) -> Dataset:
    (tmp_path / "towpath.yaml").write_text(f"{HEAD}data:\n  rides: {data}\n")
    return load(tmp_path, environ or {}).data["rides"]


@pytest.mark.parametrize(
    ("data", "source"),
    [
        ("rides.csv", "files"),
        ("{path: rides/*.parquet}", "files"),
        ("data/images.dvc", "dvc"),
        ("s3://bucket/rides/", "bucket"),
        ("gs://bucket/rides/*.csv", "bucket"),
        ("lakefs://repo/main/rides/", "lakefs"),
        ("{delta: rides, version: 12}", "delta"),
        ("{sql: SELECT 1, url: 'sqlite:///a.db'}", "sql"),
    ],
)
def test_each_source_is_one_line(tmp_path: Path, data: str, source: str) -> None:
    assert declared(tmp_path, data).source == source


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{time: at}", "one of `path`, `delta` or `sql`"),
        ("{path: a.csv, delta: b}", "one of `path`, `delta` or `sql`"),
        ("{path: a.csv, version: 3}", "`version` is that of a `delta` table"),
        ("{path: a.csv, url: 'postgresql://me:sesame@host/a'}", "belong to `sql`"),
        ("{sql: SELECT 1}", "add `url: postgresql://...`"),
        ("ftp://me:sesame@host/rides", "a path begins with one of s3, gs, az, lakefs"),
        ("{delta: rides, version: -1}", "data.rides.version"),
        ("{sql: nowhere.sql, url: 'sqlite:///a.db'}", "the query nowhere.sql cannot be read"),
        ("{sql: SELECT 1, url: '${DATABASE}'}", "the environment has no DATABASE"),
        ("{pth: rides.csv}", "did you mean `path`"),
    ],
)
def test_what_does_not_go_together_has_its_line_and_shows_no_password(tmp_path: Path, data: str, words: str) -> None:
    with pytest.raises(ProjectError) as caught:
        declared(tmp_path, data)
    assert words in str(caught.value)
    assert "towpath.yaml:4" in str(caught.value)
    assert "sesame" not in str(caught.value)


def test_a_query_may_lie_in_a_file_and_a_password_in_the_environment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rides.sql").write_text("SELECT *\nFROM rides\n")
    url = "{sql: rides.sql, url: 'postgresql://me:${PASSWORD}@host/rides'}"
    one = declared(tmp_path, url, {"PASSWORD": "sesame"})
    assert one.sql == "SELECT *\nFROM rides\n"
    assert one.url == "postgresql://me:sesame@host/rides"
    assert "sesame" not in str(plain(one))


def test_an_address_has_no_secrets() -> None:
    assert address("postgresql://me:p@ss@host/db?password=x") == "postgresql://host/db"
    assert address("s3://bucket/a@b/c") == "s3://bucket/a@b/c"


def test_marks_change_with_what_they_are_made_of() -> None:
    assert marked("a", 1) == marked("a", 1)
    assert len({marked("a", 1), marked("b", 1), marked("a", 2)}) == 3
    assert all(abs(number) < 2**63 for number in marked("a", 1)), "they are kept as integers of 64 bits"


@pytest.mark.parametrize(
    ("path", "names", "base", "seen"),
    [
        ("images", ["images/cat/1.png"], "images", "cat/1.png"),
        ("./images/", ["images/cat/1.png"], "images", "cat/1.png"),
        ("images/*/*.png", ["images/cat/1.png"], "images", "cat/1.png"),
        ("model.bin", ["model.bin"], ".", "model.bin"),
        ("/far/images", ["/far/images/cat/1.png"], "/far/images", "cat/1.png"),
        ("../images", ["../images/1.png"], "../images", "1.png"),
    ],
)
def test_a_step_sees_files_below_the_folder_that_was_declared(path: str, names: list[str], base: str, seen: str) -> None:
    assert base_of(path, names) == base
    assert below(base, names[0]) == seen


def test_seldom_asks_again_after_a_while_or_when_the_question_is_another() -> None:
    now, asked = [0.0], []
    seldom: Seldom[int] = Seldom(60, now=lambda: now[0])

    def ask(question: str) -> int:
        return seldom.ask("rides", question, lambda: asked.append(question) or len(asked))

    assert [ask("a"), ask("a")] == [1, 1]
    now[0] = 59
    assert [ask("a"), ask("b"), ask("b")] == [1, 2, 2]
    now[0] = 119.5
    assert ask("b") == 3


def test_an_empty_file_is_added_while_small_files_are_packed(tmp_path: Path) -> None:
    (tmp_path / "things").mkdir()
    (tmp_path / "things/empty").touch()
    (tmp_path / "things/one").write_bytes(b"1")
    store, index = LocalStore(tmp_path / "store"), Index(tmp_path / "index")
    for _ in range(2):
        os.utime(tmp_path / "things/empty", ns=(1, 1))
        done = add("things", Dataset(path="things"), tmp_path, store, index, count=lambda path: -1, put=store.packing())
    assert [(file.path, file.size) for file in files_of(store, done.digest)] == [("things/empty", 0), ("things/one", 1)]


SQL = """\
name: little
data:
  rides:
    sql: SELECT * FROM rides ORDER BY rowid
    url: sqlite:///rides.db
pipeline: pipeline.py
model: {task: binary, rows: rows, features: features, train: model, label: late}
gates: [auc >= baseline + 0.1]
environments: {staging: {check: [golden_rows]}, production: {}}
monitor: {drift: null}
retrain: {when: [new_rows 20%], cooldown: 0s, limit: 100/day}
"""


def insert(root: Path, month: int) -> None:
    frame = little.rides(month).drop("time")
    connection = sqlite3.connect(root / "rides.db")
    with connection:
        connection.execute("CREATE TABLE IF NOT EXISTS rides (zone TEXT, distance REAL, hour INTEGER, late INTEGER)")
        connection.executemany("INSERT INTO rides VALUES (?, ?, ?, ?)", frame.with_columns(pl.col("late").cast(pl.Int64)).rows())
    connection.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose rides are in a database."""
    root = little.make(tmp_path / "little", towpath=SQL, months=0)
    (root / ".gitignore").write_text(".towpath/\n*.db\n__pycache__/\n")
    little.commit(root)
    insert(root, 1)
    return root


def test_a_query_is_run_judged_and_its_growth_starts_the_next(root: Path) -> None:
    ended = little.ran(root)
    assert ended.outcome is Outcome.REGISTERED, ended.because
    [taken] = little.events(root, SnapshotTaken)
    assert isinstance(taken, SnapshotTaken)
    assert manifest(little.world(root).store, taken.digest).source["url"] == "sqlite:///rides.db"
    assert little.ran(root).outcome is Outcome.UNCHANGED
    world = little.world(root)
    loop = wiring.loop(world, little.Idle())
    loop.turn()
    assert not world.state().firings.decisions
    insert(root, 2)
    little.loop(root).turn()
    [decision] = little.world(root).state().firings.decisions
    assert decision.trigger == "new_rows", decision


def test_commands_speak_of_what_lies_elsewhere(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def towpath(*words: str) -> tuple[int, str, str]:
        code = main([*words, "--project", str(root)])
        return (code, *capsys.readouterr())

    assert towpath("data", "add")[0] == 0
    assert "as locked: 1 file" in towpath("data", "status")[1]
    before = sorted(path.name for path in root.iterdir())
    insert(root, 2)
    assert "1 changed (query.parquet)" in towpath("data", "status")[1]
    code, _, err = towpath("data", "checkout", "rides")
    assert (code, "read from elsewhere (sql)" in err) == (2, True)
    code, out, _ = towpath("data", "checkout")
    assert (code, "nothing to check out" in out) == (0, True)
    assert sorted(path.name for path in root.iterdir()) == before
    code, out, _ = towpath("data", "diff", "--json")
    assert code == 0, out
    assert json.loads(out)[0]["rows"]["added"] == 1000


def test_a_server_without_a_watermark_is_not_asked_by_the_loop(root: Path) -> None:
    text = SQL.replace("sqlite:///rides.db", "postgresql://nobody@127.0.0.1:1/rides")
    little.commit(root, towpath=text)
    assert not load(root, {}).data["rides"].tells
    little.loop(root).turn()  # asking would take seconds and fail
    little.commit(root, towpath=text.replace("ORDER BY rowid", "ORDER BY rowid\n    watermark: SELECT max(rowid) FROM rides"))
    assert load(root, {}).data["rides"].tells


def test_what_an_extra_is_missing_for_is_told(root: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "adbc_driver_manager.py").write_text("raise ModuleNotFoundError('no', name='adbc_driver_manager')\n")
    said = subprocess.run(
        [os.sys.executable, "-m", "towpath", "data", "status", "--project", str(root)],
        env={**os.environ, "PYTHONPATH": str(blocked)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "pip install 'towpath[sql]'" in said.stdout + said.stderr


def test_a_folder_that_is_empty_has_no_files_and_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    assert here(Dataset(path="images"), tmp_path, Index(tmp_path / "index")) == []
