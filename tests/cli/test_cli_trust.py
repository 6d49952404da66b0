"""history, verify, config and doctor."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from importlib import metadata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from towpath import events as ev
from towpath import kept
from towpath.cli import doctor
from towpath.ledger import Entry
from towpath.project import Declared
from towpath.project_fields import plain
from towpath.project_file import load
from towpath.verdict import Answer, Verdict
from towpath.words import in_words

A = "a" * 64
PASSED = (Verdict(gate="auc >= 0.6", answer=Answer.PASS, because="0.71"),)


def on(day, *told):
    at = datetime(2013, 5, day, 12, tzinfo=UTC)
    return [Entry(id=f"{day}-{n}", at=at, machine=0.0, event=event) for n, event in enumerate(told)]


STORY = [
    *on(
        1,
        ev.RunStarted(run=1, trigger="command", cause="by hand", commit="c" * 40, host="h", boot="b", pid=1),
        ev.CandidatePackaged(run=1, digest=A, recipe=A, parameters={}),
        ev.GatesJudged(run=1, digest=A, champion=None, verdicts=PASSED, metrics={}),
        ev.VersionRegistered(version=1, digest=A, run=1),
        ev.RunEnded(run=1, outcome=ev.Outcome.REGISTERED, because="all gates passed", version=1),
    ),
    *on(3, ev.VersionPromoted(environment="production", version=1, digest=A, previous=None, release=None, by="loop", because="the first")),
    *on(
        6,
        ev.VersionRolledBack(environment="production", version=1, digest=A, to=None, release=None, by="zoe", because="it smells"),
    ),
]


@pytest.fixture
def told(project):
    """A project to which all of this happened."""
    found = load(project, {})
    kept.anchors(found).add(kept.ledger(found).append(STORY))
    return project


def test_history_tells_in_order_and_in_words(run, told):
    lines = run("history", cwd=told).out.splitlines()
    assert len(lines) == len(STORY)
    assert lines[0] == "1  2013-05-01 12:00  run 1 started (command: by hand) on commit cccccccc"
    assert "version 1 was rolled back in production, quarantined, nothing serves: it smells" in lines[-1]


def test_history_as_json_has_every_event_whole(run, told):
    events = json.loads(run("history", "--json", cwd=told).out)
    assert [event["position"] for event in events] == list(range(1, len(STORY) + 1))
    assert events[4]["event"] == {
        "kind": "RunEnded",
        "run": 1,
        "outcome": "registered",
        "because": "all gates passed",
        "version": 1,
    }
    assert events[4]["words"] == "run 1 ended in version 1: all gates passed"


def test_history_of_one_kind_and_the_latest(run, told):
    assert len(run("history", "--kind", "RunEnded", cwd=told).out.splitlines()) == 1
    assert run("history", "-n", "2", cwd=told).out == run("history", "--last", "2", cwd=told).out
    assert len(run("history", "-n", "2", cwd=told).out.splitlines()) == 2
    said = run("history", "--kind", "RunEndd", cwd=told)
    assert (said.code, "did you mean RunEnded" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("at", "production", "count"),
    [
        ("2013-05-02", "nothing", 5),
        ("2013-05-03", "version 1", 6),
        ("2013-05-03T11:59", "nothing", 5),
        ("2013-05-03T14:00+02:00", "version 1", 6),
        ("2013-05-05", "version 1", 6),
        ("2013-05-06", "nothing", 7),
    ],
)
def test_what_was_live_at_a_time(run, told, at, production, count):
    said = run("history", "--at", at, cwd=told)
    assert f"production: {production}" in said.out or (production == "nothing" and "\n  nothing\n" in said.out)
    assert len(json.loads(run("history", "--at", at, "--json", cwd=told).out)["events"]) == count


def test_a_time_that_is_none_is_told(run, told):
    said = run("history", "--at", "last week", cwd=told)
    assert (said.code, "'last week' is no time" in said.err) == (2, True)


def test_a_new_project_is_told_the_next_command(run, project):
    assert "towpath run" in run("history", cwd=project).out


def test_a_ledger_as_it_was_written_verifies(run, told):
    said = run("verify", "ledger", cwd=told)
    assert said.code == 0
    assert said.out.startswith("the ledger is what was written: 7 records, 1 anchors")
    assert json.loads(run("verify", "ledger", "--json", cwd=told).out)["faults"] == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE ledger SET body = CAST(replace(body, 'zoe', 'eve') AS BLOB)", "at 7: record 7 was changed"),
        ("DELETE FROM ledger WHERE position = 3", "at 4: record 3 dropped"),
        ("DELETE FROM ledger WHERE position >= 6", "records 6 to 7 dropped from the end"),
    ],
)
def test_a_ledger_that_was_touched_is_told_with_every_fault(run, told, statement, words):
    with closing(sqlite3.connect(told / ".towpath" / "ledger.sqlite", isolation_level=None)) as connection:
        connection.execute(statement)
    said = run("verify", "ledger", cwd=told)
    assert said.code == 1
    assert words in said.out
    found = json.loads(run("verify", "ledger", "--json", cwd=told).out)
    assert any(words.split(": ")[-1] in fault["what"] for fault in found["faults"])


def test_every_event_has_its_sentence(told):
    sentences = [in_words(entry.event) for entry in STORY]
    assert all("\n" not in sentence and sentence for sentence in sentences)
    assert len(set(sentences)) == len(sentences)


def test_verdicts_that_did_not_pass_are_named_in_the_sentence():
    verdicts = (*PASSED, Verdict(gate="auc >= champion", answer=Answer.INCONCLUSIVE, because="0.70 to 0.72"))
    words = in_words(ev.GatesJudged(run=1, digest=A, champion=4, verdicts=verdicts, metrics={}))
    assert words == "run 1: gates on aaaaaaaa against version 4: inconclusive, 1 of 2 passed; auc >= champion inconclusive (0.70 to 0.72)"


def test_the_schema_is_printed(run):
    schema = json.loads(run("config", "schema").out)
    assert "gates" in schema["properties"]
    assert json.loads(run("config", "schema", "--json").out) == schema


def test_the_project_is_shown_with_every_default(run, project):
    said = run("config", "show", cwd=project)
    assert "cooldown: 0s" in said.out
    assert json.loads(run("config", "show", "--json", cwd=project).out)["model"]["label"] == {
        "column": "b",
        "after": "0s",
        "missing": "exclude",
    }


def test_what_is_shown_reads_back_as_the_same_project(run, project, tmp_path_factory):
    text = (project / "towpath.yaml").read_text() + (
        "retrain: {when: [drift, new_rows 5%], cooldown: 90min, limit: 8/week}\n"
        "environments: {production: {release: {shadow: 5, canary: [10%], guards: {errors: 1.5x}, deadline: 20ms}}}\n"
        "monitor: {performance: {auc: champion - 0.04}, drift: {window: 36h}}\n"
    )
    (project / "towpath.yaml").write_text(text)
    copy = tmp_path_factory.mktemp("copy")
    (copy / "towpath.yaml").write_text(run("config", "show", cwd=project).out)
    assert plain(load(copy, {}), Declared) == plain(load(project, {}), Declared)


def test_a_fault_in_the_file_is_told_with_its_line(run, project):
    (project / "towpath.yaml").write_text((project / "towpath.yaml").read_text() + "gate: []\n")
    said = run("config", "show", cwd=project)
    assert said.code == 2
    assert "towpath.yaml:4: unknown key `gate`" in said.err
    assert "did you mean `gates`?" in said.err


def test_the_doctor_names_what_is_installed(run, project):
    said = run("doctor", cwd=project)
    assert said.code == 0
    for part in ("python", "git", "polars", "onnxruntime", "small in", "GB free"):
        assert part in said.out
    found = json.loads(run("doctor", "--json", cwd=project).out)
    assert found["well"]
    assert {f["part"]: f["found"] for f in found["findings"]}["msgspec"] == metadata.version("msgspec")
    assert found["core_mb"] > 100


def test_the_doctor_works_without_a_project(run, tmp_path):
    said = run("doctor", cwd=tmp_path)
    assert said.code == 0
    assert "towpath init" in said.out


def test_the_doctor_names_what_is_missing_and_the_mend(run, project, monkeypatch):
    asked = ["no-such-distribution>=2", "msgspec>=999.1", 'no-such-extra>=1; extra == "mlflow"', 'ignored; python_version < "3"']
    monkeypatch.setattr(doctor.metadata, "requires", lambda name: asked if name == "towpath" else [])
    monkeypatch.setenv("PATH", str(project))
    said = run("doctor", cwd=project)
    assert said.code == 1
    assert "MISSING no-such-distribution" in said.out
    assert "older than 999.1" in said.out
    assert "pip install --upgrade 'msgspec>=999.1'" in said.out
    assert "mend: pip install 'towpath[mlflow]'" in said.out
    assert "mend: install Git" in said.out
    assert "ignored" not in said.out
    assert "3 needed parts missing" in said.out


@settings(max_examples=50)
@given(st.lists(st.integers(0, 99), min_size=1, max_size=4))
def test_versions_are_compared_by_number(parts):
    assert doctor.numbers(".".join(map(str, parts)) + "rc1") == tuple(parts)
