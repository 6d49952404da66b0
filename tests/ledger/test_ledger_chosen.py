"""`ledger` and `remote` in towpath.yaml say where the ledger is kept."""

import pytest

from towpath import kept
from towpath.backtest.home import alone
from towpath.errors import Unavailable
from towpath.ledger.objects import ObjectLedger
from towpath.ledger.sqlite import SqliteLedger
from towpath.project_fields import plain
from towpath.project_file import load
from towpath.testing.ledgers import fact, numbers

FILE = "name: flights\ndata: {rows: rows.csv}\nmodel: {task: binary, rows: rows, label: late}\n"


@pytest.fixture
def project(tmp_path):
    def declared(*lines, **environ):
        (tmp_path / "towpath.yaml").write_text(FILE + "\n".join(lines))
        return load(tmp_path, environ)

    return declared


def test_without_a_key_it_is_a_file_of_the_project(project, tmp_path):
    ledger = kept.ledger(project())
    assert isinstance(ledger, SqliteLedger)
    assert ledger.path == tmp_path / ".towpath" / "ledger.sqlite"


@pytest.mark.parametrize("written", ["shared", "../{name}/shared", "file://{path}/shared", "{path}/shared"])
def test_a_folder_that_a_team_shares(project, tmp_path, written):
    (tmp_path / "shared").mkdir()
    one = project(f"remote: {written.format(name=tmp_path.name, path=tmp_path)}")
    kept.ledger(one).append([fact(1)])
    assert (tmp_path / "shared" / "ledger" / "00000000000000000001.json").is_file()
    other = one.placed(one.root, tmp_path / "another machine")
    kept.ledger(other).append([fact(2)])
    assert numbers(kept.ledger(one)) == [1, 2]
    assert not (tmp_path / ".towpath" / "ledger.sqlite").exists()


def test_a_share_that_is_not_mounted_is_not_begun_anew(project, tmp_path):
    ledger = kept.ledger(project("remote: shared"))
    for call in (lambda: ledger.append([fact(1)]), lambda: list(ledger.read())):
        with pytest.raises(Unavailable, match="there is no folder") as caught:
            call()
        assert "mount" in caught.value.mend
    assert not (tmp_path / "shared").exists()


def test_ledger_stands_above_remote_and_the_environment_above_both(project, tmp_path):
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
    for environ, place in (({}, "two"), ({"TOWPATH_LEDGER": "three"}, "three"), ({"TOWPATH_LEDGER": ""}, "one")):
        kept.ledger(project("remote: one", "ledger: two", **environ)).append([fact(1)])
        assert (tmp_path / place / "ledger").is_dir()
    assert isinstance(kept.ledger(project("remote: one", "ledger: two", **alone({}))), SqliteLedger)


def test_a_check_of_the_whole_remembers_nothing(project, tmp_path):
    (tmp_path / "shared").mkdir()
    shared = project("remote: shared")
    kept.ledger(shared).append([fact(1)])
    path = tmp_path / "shared" / "ledger" / "00000000000000000001.json"
    (known,) = (tmp_path / ".towpath").glob("ledger-*.jsonl")
    assert known.read_bytes() == path.read_bytes() + b"\n"
    path.write_text(path.read_text().replace("a test", "a lie!"))
    afresh = kept.ledger(shared, afresh=True)
    assert isinstance(afresh, ObjectLedger)
    assert next(afresh.read()).entry.event.because == "a lie!"


def test_the_password_of_a_url_is_not_shown(project):
    shared = project("ledger: postgresql://me:${WORD}@host/flights", WORD="sesame")
    assert shared.ledger == "postgresql://me:sesame@host/flights"
    assert "sesame" not in repr(shared) + str(plain(shared))
    assert "postgresql://me:***@host/flights" in str(plain(shared))


@pytest.mark.parts
def test_a_server_and_a_bucket(project, postgres, seaweedfs, monkeypatch):
    for name, value in seaweedfs.environ.items():
        monkeypatch.setenv(name, value)
    bucket, database = seaweedfs.new(), postgres.url(postgres.new())
    kept.ledger(project(f"remote: {bucket}")).append([fact(1)])
    kept.ledger(project(f"remote: {bucket}", f"ledger: {database}")).append([fact(2)])
    assert numbers(kept.ledger(project(f"remote: {bucket}"))) == [1]
    assert numbers(kept.ledger(project(f"ledger: {database}"))) == [2]
