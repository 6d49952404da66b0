"""A ledger that was kept alone is laid into a team's: read under its name, folded by nothing."""

import json

import msgspec
import pytest

from towpath.cli import main
from towpath.digest import of_bytes
from towpath.errors import Broken, UnknownName, UsageError
from towpath.events import CandidatePackaged, GatesJudged, Outcome, RunEnded, RunStarted, VersionPromoted, VersionRegistered
from towpath.ledger import Entry, imported
from towpath.ledger.memory import MemoryLedger
from towpath.ledger.sqlite import SqliteLedger
from towpath.state import State, fold
from towpath.testing.ledgers import fact
from towpath.verdict import Answer, Verdict

DIGEST = of_bytes(b"a package")
PASSED = (Verdict(gate="auc >= 0.6", answer=Answer.PASS, because="0.71"),)
ALONE = [
    RunStarted(run=1, trigger="command", cause="by hand", commit="c" * 40, host="h", boot="b", pid=1),
    CandidatePackaged(run=1, digest=DIGEST, recipe=DIGEST, parameters={}),
    GatesJudged(run=1, digest=DIGEST, champion=None, verdicts=PASSED, metrics={}),
    VersionRegistered(version=1, digest=DIGEST, run=1),
    RunEnded(run=1, outcome=Outcome.REGISTERED, because="all gates passed", version=1),
    VersionPromoted(environment="production", version=1, digest=DIGEST, previous=None, release=None, by="loop", because="the first"),
]


def entries():
    return [msgspec.structs.replace(fact(n), event=event) for n, event in enumerate(ALONE)]


@pytest.fixture
def alone():
    ledger = MemoryLedger()
    head = ledger.append(entries())
    return list(ledger.read()), head


def test_it_comes_back_as_it_was(alone):
    records, head = alone
    event, data = imported.packed("zoe", records, [head], [])
    assert (event.records, event.head, event.digest) == (6, head.hash, of_bytes(data))
    assert imported.unpacked(event, data) == records


def test_no_fold_reads_what_is_in_it(alone):
    records, _ = alone
    assert fold(records).live.champion("production") == 1
    event, _ = imported.packed("zoe", records, [], [])
    team = MemoryLedger()
    head = team.append([msgspec.structs.replace(fact(1), event=event)])
    state = fold(team.read())
    assert state == State(head=head, at=state.at)
    assert state.live.champion("production") is None
    assert not state.registry.versions


def test_what_does_not_hold_is_not_imported(alone):
    records, head = alone
    with pytest.raises(UsageError, match="empty"):
        imported.packed("zoe", [], [], [])
    with pytest.raises(Broken, match="record 3 dropped"):
        imported.packed("zoe", records[:2] + records[3:], [], [])
    with pytest.raises(Broken, match="dropped from the end"):
        imported.packed("zoe", records[:-1], [head], [])


def test_a_name_is_given_once(alone):
    records, _ = alone
    event, _ = imported.packed("zoe", records, [], [])
    team = MemoryLedger()
    team.append([Entry(id="1", at=records[0].entry.at, machine=0.0, event=event)])
    known = list(team.read())
    assert imported.packed("zoe", records, [], known)[0] == event  # told twice
    with pytest.raises(UsageError, match="another ledger was imported as 'zoe', of 6 records"):
        imported.packed("zoe", records[:4], [], known)
    assert imported.find("zoe", known) == event
    with pytest.raises(UnknownName, match="zoe"):
        imported.find("zo", known)


def test_an_object_that_is_another_is_told(alone):
    records, _ = alone
    event, _ = imported.packed("zoe", records, [], [])
    for data in (imported.packed("zoe", records[:4], [], [])[1], b"{}"):
        with pytest.raises(Broken, match="the imported ledger 'zoe' is not"):
            imported.unpacked(event, data)


def test_the_way_from_alone_to_a_team(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    plain = "name: flights\ndata: {rows: rows.csv}\nmodel: {task: binary, rows: rows, label: late}\n"
    (tmp_path / "towpath.yaml").write_text(plain)
    (tmp_path / "shared").mkdir()
    head = SqliteLedger(tmp_path / ".towpath" / "ledger.sqlite").append(entries())
    (tmp_path / ".towpath" / "anchors.jsonl").write_bytes(msgspec.json.encode(head))
    assert main(["ledger", "import", "before"]) == 2
    assert "no team's ledger" in capsys.readouterr().err

    (tmp_path / "towpath.yaml").write_text(plain + "remote: shared\n")
    assert main(["ledger", "import", "before"]) == 0
    assert "the ledger 'before' was imported: 6 records" in capsys.readouterr().out
    assert main(["ledger", "import", "before"]) == 0  # again is a success, not a second record
    assert main(["history", "--json"]) == 0
    (event,) = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert event["event"]["kind"] == "LedgerImported"
    assert main(["history", "--ledger", "before", "--json"]) == 0
    assert [one["event"]["kind"] for one in json.loads(capsys.readouterr().out)] == [type(event).__name__ for event in ALONE]
    assert main(["verify", "ledger"]) == 0  # the anchors of the one are not held against the other
    assert main(["history", "--ledger", "befor"]) == 2
    assert "did you mean before?" in capsys.readouterr().err
    assert main(["ledger", "import", "after", "--from", "nothing.sqlite"]) == 2
    assert "there is no ledger nothing.sqlite" in capsys.readouterr().err
