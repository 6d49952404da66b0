"""`towpath data erase`: after it no byte of a person's rows is kept, everything else is as it was, and what knew the rows is named."""

from __future__ import annotations

import io
import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from tests.loop import little

from towpath import holdings, wiring
from towpath.cli import main
from towpath.events import RowsErased, SnapshotTaken
from towpath.journal.port import Batch, Label, Scored
from towpath.locks import RUN, lock_of
from towpath.project_file import load

ANN = "ann-4711"
YAML = (
    little.YAML.replace("    time: time\n", "    time: time\n    key: [person, time]\n").replace(
        "  rides:\n", "  notes: notes.csv\n  rides:\n", 1
    )
    + "steps: {listed: {}, people: {each: zone}}\n"
)
PIPELINE = (
    little.PIPELINE
    + """

def listed(rides: pl.DataFrame) -> Path:
    \"\"\"Files that name people.\"\"\"
    file = Path(tempfile.mkdtemp()) / "people.csv"
    rides.select("person").unique(maintain_order=True).write_csv(file)
    return file


def people(rides: pl.DataFrame) -> pl.DataFrame:
    \"\"\"Of each zone, by parts.\"\"\"
    return rides.select("person", "zone")
"""
).replace("import polars", "import tempfile\nfrom pathlib import Path\n\nimport polars", 1)


def with_person(month: int) -> pl.DataFrame:
    people = pl.Series([ANN if row % 50 == 7 else f"p{row % 40}" for row in range(1000)])
    return little.rides(month).with_columns(person=people)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    """Two versions of the data, a version of the model that was trained on them."""
    root = little.make(tmp_path_factory.mktemp("prepared") / "little", towpath=YAML, pipeline=PIPELINE, months=0)
    (root / "notes.csv").write_text("id,text\n1,a\n")
    little.deliver(root, 1, with_person(1))
    little.deliver(root, 2, little.rides(2).with_columns(person=pl.lit("bob")))
    (root / ".gitignore").write_text(".towpath/\ndata/\nnotes.csv\n__pycache__/\n")
    assert main(["data", "add", "--project", str(root)]) == 0
    little.commit(root)
    assert little.ran(root).version == 1
    little.deliver(root, 3, with_person(3).head(500))
    assert main(["data", "add", "--project", str(root)]) == 0
    little.commit(root)
    return root


@pytest.fixture
def root(prepared, tmp_path) -> Path:
    """A copy of it, to be changed."""
    return shutil.copytree(prepared, tmp_path / "little", symlinks=True)


def world(root):
    return wiring.world(load(root, {key: value for key, value in os.environ.items() if key != "TOWPATH_HOME"}))


def told(run, *words, cwd):
    said = run("data", "erase", *words, "--json", cwd=cwd)
    assert said.code == 0, said.err
    return json.loads(said.out)


def holders(root: Path) -> list[str]:
    """Every file of the project, and every object of its store, in which the person's name is readable."""
    found = [str(file.relative_to(root)) for file in root.rglob("*") if file.is_file() and _holds(file.read_bytes())]
    store = holdings.store_here(world(root).project)
    return found + [digest for digest, _ in store.objects() if _holds(store.get(digest))]


def _holds(data: bytes) -> bool:
    if ANN.encode() in data:
        return True
    for read in (pl.read_parquet, pl.read_ipc):
        try:
            frame = read(io.BytesIO(data))
        except Exception:
            continue
        return any(ANN in series.cast(pl.String).to_list() for series in frame.select(pl.col(pl.String)))
    return False


def test_nothing_holds_the_rows_any_longer_and_all_others_are_there(run, root):
    assert len(holders(root)) > 5
    before = pl.read_parquet(root / "data/*.parquet")
    found = told(run, "rides", "--key", ANN, "--reason", "request 12", cwd=root)
    assert found["files"] == {"data/2024-01.parquet": 20, "data/2024-03.parquet": 10}
    assert (found["versions"], len(found["snapshots"]), found["unread"]) == ([1], 2, [])
    left = [place for place in holders(root) if place not in _of_the_version(root)]
    assert left == []
    assert pl.read_parquet(root / "data/*.parquet").equals(before.filter(pl.col("person") != ANN))


def _of_the_version(root: Path) -> set[str]:
    """What belongs to the version that was trained on the rows: its package and its profile, which erase names and does not change."""
    state = world(root).state()
    candidate = state.registry.version(1).candidate
    store = world(root).store
    package = json.loads(store.get(candidate.digest))
    digests = {word for word in json.dumps(package).split('"') if len(word) == 64} | {candidate.digest, candidate.profile}
    objects = root / ".towpath/store/objects"
    return digests | {str((objects / digest[:2] / digest[2:]).relative_to(root)) for digest in digests}


def test_a_trial_tells_the_same_and_changes_nothing(run, root):
    before = _bytes(root)
    tried = told(run, "rides", "--key", ANN, "--dry-run", cwd=root)
    assert _bytes(root) == before
    done = told(run, "rides", "--key", ANN, "--reason", "request 12", cwd=root)
    assert {**tried, "dry_run": False} == done


def _bytes(root: Path) -> dict[Path, bytes]:
    """All files but locks and what is known of file marks."""
    files = (file for file in root.rglob("*") if file.is_file() and "locks" not in file.parts and file.name != "index.msgpack")
    return {file: file.read_bytes() for file in files}


def test_what_remains_is_whole_and_old_versions_come_back_without_the_rows(run, root):
    told(run, "rides", "--key", ANN, "--reason", "request 12", cwd=root)
    for words in (("data", "status"), ("verify", "ledger"), ("verify", "store"), ("verify", "data")):
        said = run(*words, cwd=root)
        assert said.code == 0, said.out + said.err
    assert "as locked: 3 files" in run("data", "status", "rides", cwd=root).out
    little.git(root, "checkout", "-q", "HEAD~1", "--", "towpath.lock")
    assert run("verify", "data", cwd=root).code == 0
    assert run("data", "checkout", "rides", cwd=root).code == 0
    assert pl.read_parquet(root / "data/*.parquet").height == 1980
    assert "as locked: 2 files" in run("data", "status", "rides", cwd=root).out
    assert holders(root) == [place for place in holders(root) if place in _of_the_version(root)]
    assert "nothing differs" in run("data", "diff", "lock", "work", "rides", cwd=root).out
    (row,) = json.loads(run("data", "diff", "HEAD~1", "HEAD", "rides", "--json", cwd=root).out)
    assert (row["rows"]["added"], row["rows"]["removed"]) == (490, 0)


def test_a_run_after_it_trains_on_the_rest_and_an_erasure_is_no_growth(run, root):
    assert little.ran(root).outcome.value in ("registered", "rejected")
    told(run, "rides", "--key", ANN, "--reason", "request 12", cwd=root)
    growth = json.loads(run("status", "--json", cwd=root).out)
    assert [one["rows_new"] for one in growth["growth"] if one["dataset"] == "rides"] == [0]
    assert little.ran(root).outcome.value in ("registered", "rejected")
    assert little.events(root, SnapshotTaken)[-1].rows == 2470


def test_the_tombstone_tells_digests_and_counts_and_never_the_value(run, root):
    told(run, "rides", "--key", ANN, "--reason", "request 12", cwd=root)
    (event,) = little.events(root, RowsErased)
    assert (event.rows, event.versions, event.because) == (30, (1,), "request 12")
    assert ANN not in str(event)
    assert "erased rows of rides: 30 in its files" in run("history", cwd=root).out
    store = holdings.store_here(world(root).project)
    for before, after in event.objects.items():
        assert not store.has(before)
        assert not after or store.has(after)
    salt = root / ".towpath/erasures.salt"
    assert (salt.stat().st_mode & 0o777, len(salt.read_text())) == (0o600, 64)


def test_the_journals_rows_go_with_their_labels(run, root):
    journal = world(root).journal
    rows = [
        Scored(id=f"r{n}", at=datetime(2024, 4, 1, tzinfo=UTC), environment="production", version=1, answered_by=1, latency_s=0.01,
               row=json.dumps({"person": ANN if n % 2 else "bob", "time": "2024-04-01"}), prediction="true")
        for n in range(6)
    ]  # fmt: skip
    journal.append([Batch(segment="s", start=0, end=6, rows=tuple(rows))])
    journal.label([Batch(segment="l", start=0, end=1, rows=(Label(id="r1", at=rows[0].at, value=True),))])
    assert told(run, "rides", "--key", ANN, "--reason", "request 12", cwd=root)["journal"] == 3
    seen = world(root).journal
    assert (seen.predictions().frame["id"].to_list(), seen.labels().frame.height) == (["r0", "r2", "r4"], 0)
    assert [place for place in holders(root) if "journal" in place] == []


def test_a_second_time_there_is_nothing_and_no_event(run, root):
    told(run, "rides", "--key", ANN, "--reason", "request 12", cwd=root)
    again = run("data", "erase", "rides", "--key", ANN, "--reason", "request 12", cwd=root)
    assert (again.code, "no such row is kept" in again.out) == (0, True)
    assert len(little.events(root, RowsErased)) == 1


@pytest.mark.parametrize("part", ["_write", "collect"])
def test_cut_off_in_the_middle_the_same_command_finishes_it(run, root, monkeypatch, part):
    place = "towpath.cli.data_erase._write" if part == "_write" else "towpath.store.local.LocalStore.collect"
    with monkeypatch.context() as patch:
        patch.setattr(place, lambda *args, **kwargs: (_ for _ in ()).throw(KeyboardInterrupt))
        assert run("data", "erase", "rides", "--key", ANN, "--reason", "request 12", cwd=root).code == 130
    assert run("data", "erase", "rides", "--key", ANN, "--reason", "request 12", cwd=root).code == 0
    assert [found for found in holders(root) if found not in _of_the_version(root)] == []
    assert run("verify", "data", cwd=root).code == 0


def test_the_longer_the_name_the_fewer_rows(run, root):
    frame = pl.read_parquet(root / "data/2024-01.parquet").filter(pl.col("person") == ANN)
    time = str(frame["time"].cast(pl.String)[0])
    assert told(run, "rides", "--key", f"{ANN},{time}", "--dry-run", cwd=root)["files"] == {"data/2024-01.parquet": 1}
    two = told(run, "rides", "--key", ANN, "--key", "bob", "--dry-run", cwd=root)["files"]
    assert two == {"data/2024-01.parquet": 20, "data/2024-02.parquet": 1000, "data/2024-03.parquet": 10}


def test_a_file_without_any_other_row_goes(run, root):
    told(run, "rides", "--key", "bob", "--reason", "request 13", cwd=root)
    assert not (root / "data/2024-02.parquet").exists()
    assert "as locked: 2 files" in run("data", "status", "rides", cwd=root).out


def test_a_linked_file_keeps_its_mode_and_the_others_their_bytes(run, root):
    (root / "data/2024-01.parquet").chmod(0o640)
    before = (root / "data/2024-02.parquet").read_bytes()
    told(run, "rides", "--key", ANN, "--reason", "request 12", cwd=root)
    assert (root / "data/2024-01.parquet").stat().st_mode & 0o777 == 0o640
    assert (root / "data/2024-02.parquet").read_bytes() == before


def test_a_file_that_is_no_table_is_named(run, root):
    (root / "data/2024-04.parquet").write_bytes(b"cut off")
    found = told(run, "rides", "--key", ANN, "--dry-run", cwd=root)
    assert found["unread"] == ["data/2024-04.parquet"]
    assert "not looked into" in run("data", "erase", "rides", "--key", ANN, "--dry-run", cwd=root).out


def test_while_a_run_is_going_on_it_waits_for_its_turn(run, root):
    with lock_of(root / ".towpath", RUN).held("towpath run"):
        said = run("data", "erase", "rides", "--key", ANN, "--reason", "request 12", cwd=root)
    assert (said.code, "towpath run is going on" in said.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["rides", "--key", ANN], "a reason is missing"),
        (["rides", "--key", ANN, "--reason", f"{ANN} asked for it"], "the reason names a value of the key"),
        (["rides", "--key", "", "--reason", "x"], "is empty"),
        (["rides", "--key", "a,b,c", "--reason", "x"], "the key 2 columns"),
        (["notes", "--key", "1", "--reason", "x"], "notes has no key"),
        (["ride", "--key", "1", "--reason", "x"], "did you mean rides?"),
    ],
)
def test_what_cannot_be_is_refused_with_the_mend(run, root, words, wanted):
    said = run("data", "erase", *words, cwd=root)
    assert (said.code, wanted in said.err) == (2, True), said.err


def test_another_clone_never_sees_the_rows_again(run, tmp_path):
    one, two, bucket = tmp_path / "one", tmp_path / "two", tmp_path / "bucket"
    for folder in (one, bucket):
        folder.mkdir()
    (one / "towpath.yaml").write_text(
        f"name: small\nremote: {bucket}\ndata: {{rides: {{path: rides/*.csv, key: [person]}}}}\n"
        "model: {task: binary, rows: rides, label: km}\n"
    )
    (one / ".gitignore").write_text(".towpath/\nrides/\n")
    (one / "rides").mkdir()
    (one / "rides/1.csv").write_text(f"person,km\n{ANN},1\nbob,2\n")
    little.git(one, "init", "-q")
    for words in (("data", "add"), ("data", "push")):
        assert run(*words, cwd=one).code == 0
    little.commit(one)
    said = run("data", "erase", "rides", "--key", ANN, "--reason", "request 12", cwd=one)
    assert (said.code, "the remote holds the old objects until" in said.out) == (0, True), said.err
    assert run("data", "push", cwd=one).code == 0
    little.git(tmp_path, "clone", "-q", str(one), str(two))  # at the commit from before
    for words in (("data", "pull"), ("data", "checkout"), ("verify", "data")):
        said = run(*words, cwd=two)
        assert said.code == 0, said.err
    assert (two / "rides/1.csv").read_text() == "person,km\nbob,2\n"
    assert holders(two) == []
    team = holdings.remote(world(one).project)
    (event,) = little.events(one, RowsErased)
    later = datetime.now(UTC) + timedelta(days=60)
    live = {after for after in event.objects.values() if after}
    for _ in range(2):  # one condemns the pack, though most of it is live; the next one deletes it
        team.gc(live, now=later, erased=event.objects)
        later += timedelta(days=60)
    assert team.has(live) == live
    assert [file for file in bucket.rglob("*") if file.is_file() and ANN.encode() in file.read_bytes()] == []
