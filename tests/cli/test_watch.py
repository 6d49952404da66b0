"""What one watches and sends: over a journal of real answers, and against a server that is up."""

import json
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from towpath import events as ev
from towpath import wiring
from towpath.cli.daily import answered
from towpath.cli.watch import curl, post, read_labels
from towpath.errors import Refused, Unavailable, UsageError
from towpath.formats.package import unpack
from towpath.journal.commit import commit
from towpath.journal.port import Batch, Label, Scored
from towpath.project_file import load

YAML = """name: small
data: {trips: trips.csv}
model: {task: regression, rows: trips, label: delay}
gates: [rmse <= 0.9x baseline]
monitor: {performance: {rmse: 3.0}}
retrain: {when: [new_rows 10%, drift], cooldown: 6h, limit: 8/week}
"""


def trips(rows, seed=0, shift=0.0):
    random = np.random.default_rng(seed)
    wind = random.normal(size=rows)
    return pl.DataFrame({"wind": wind + shift, "hour": random.integers(0, 24, rows), "delay": 10 * wind + random.normal(size=rows)})


def world_of(folder):
    return wiring.world(load(folder, {}))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Version 1 serves production; nobody has asked it yet."""
    folder = tmp_path_factory.mktemp("made")
    trips(600).write_csv(folder / "trips.csv")
    (folder / "towpath.yaml").write_text(YAML)
    (folder / ".gitignore").write_text(".towpath/\n")
    for words in (["init", "-q"], ["add", "--all"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "first"]):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)
    subprocess.run([sys.executable, "-m", "towpath", "run"], cwd=folder, check=True, capture_output=True)
    world = world_of(folder)
    digest = world.state().registry.version(1).digest
    facts = {"environment": "production", "version": 1, "digest": digest, "previous": None, "release": None, "by": "loop"}
    world.tell(
        ev.EnvironmentJudged(environment="staging", version=1, digest=digest, verdicts=()), ev.VersionPromoted(**facts, because="first")
    )
    return folder


@pytest.fixture
def copy(made, tmp_path):
    """The same project, to be changed."""
    return shutil.copytree(made, tmp_path / "copy")


def ask(folder, rows, labelled=0):
    """Put the version's real answers to ``rows`` into the journal, and the labels of the first of them."""
    world = world_of(folder)
    package = unpack(world.store, world.state().registry.version(1).digest)
    values = answered(package, rows)["prediction"].to_list()
    begin = datetime.now(UTC) - timedelta(hours=1)
    scored = [
        Scored(
            id=f"r{number}",
            at=begin,
            environment="production",
            version=1,
            answered_by=1,
            latency_s=0.001,
            row=json.dumps({name: row[name] for name in ("wind", "hour")}),
            prediction=json.dumps(value),
            score=value,
        )
        for number, (row, value) in enumerate(zip(rows.to_dicts(), values, strict=True))
    ]
    world.journal.append([Batch(segment="s", start=0, end=len(scored), rows=tuple(scored))])
    labels = [Label(id=f"r{number}", at=begin, value=rows["delay"][number]) for number in range(labelled)]
    world.journal.label([Batch(segment="l", start=0, end=len(labels), rows=tuple(labels))])


@pytest.mark.parametrize("verb", ["drift", "monitor"])
def test_where_nothing_serves_the_next_command_is_named(run, project, verb):
    said = run(verb, cwd=project)
    assert said.code == 0
    assert "nothing serves production yet: `towpath run`" in said.out


@pytest.mark.parametrize("verb", ["drift", "monitor"])
def test_where_nobody_asked_yet_a_request_is_named(run, made, verb):
    assert "version 1 has answered no request yet: `towpath request`" in run(verb, cwd=made).out


def test_the_column_that_moved_comes_first(run, copy):
    ask(copy, trips(400, seed=1, shift=1.5))
    said = run("drift", "--top", "2", cwd=copy)
    _, _, first, *_ = said.out.splitlines()
    assert first.split()[0] in ("wind", "(score)")
    assert "and 1 more columns (--top)" in said.out
    assert "no finding yet" in said.out
    view = json.loads(run("drift", "--json", cwd=copy).out)
    effects = {one["column"]: one["effect"] for one in view["columns"]}
    assert effects["wind"] > 0.3 > 0.1 > effects["hour"]
    assert view["rows"] == 400


def test_drift_may_look_at_the_latest_answers_alone(run, copy):
    ask(copy, trips(40, seed=1))
    journal = world_of(copy).journal
    old = (
        journal.predictions()
        .frame.select(pl.exclude("position"))
        .head(10)
        .with_columns(pl.col("id") + "-old", pl.col("at") - timedelta(days=9))
    )
    journal.append([Batch(segment="o", start=0, end=10, rows=tuple(Scored(**row) for row in old.to_dicts()))])
    assert json.loads(run("drift", "--json", cwd=copy).out)["rows"] == 50
    assert json.loads(run("drift", "--last", "7d", "--json", cwd=copy).out)["rows"] == 40
    assert run("drift", "--last", "soon", cwd=copy).code == 2


def test_where_nothing_moved_no_effect_is_left(run, copy):
    ask(copy, trips(400, seed=2))
    view = json.loads(run("drift", "--json", cwd=copy).out)
    assert max(one["effect"] for one in view["columns"]) < 0.1


def test_findings_are_ranked_and_those_of_the_champion_come_first(run, copy):
    ask(copy, trips(20, seed=1))
    now = datetime.now(UTC)
    at = {"start": now, "end": now}
    old = ev.FindingMade(finding=1, subject="drift", what="hour", version=9, because="hour drifted", effect=0.9, **at)
    small = ev.FindingMade(finding=2, subject="drift", what="hour", version=1, because="hour moved", effect=0.1, **at)
    large = ev.FindingMade(finding=3, subject="drift", what="wind", version=1, because="wind moved", effect=0.4, **at)
    right = ev.FindingMade(finding=4, subject="performance", what="rmse", version=1, because="rmse rose", effect=0.2, **at)
    world_of(copy).tell(old, small, large, right)
    drifted = json.loads(run("drift", "--json", cwd=copy).out)["findings"]
    assert [one["finding"] for one in drifted] == [3, 2, 1]
    assert [one["open"] for one in drifted] == [True, True, False]
    assert "rmse rose" in run("monitor", cwd=copy).out
    assert "rmse rose" not in run("drift", cwd=copy).out
    waits = [line for line in run("status", cwd=copy).out.splitlines() if "finding" in line]
    assert len(waits) == 3


def test_performance_is_beside_that_at_the_gates(run, copy):
    rows = trips(300, seed=3)
    ask(copy, rows, labelled=250)
    view = json.loads(run("monitor", "--json", cwd=copy).out)
    assert (view["answers"], view["labelled"]) == (300, 250)
    rmse = next(one for one in view["figures"] if one["metric"] == "rmse")
    world = world_of(copy)
    values = answered(unpack(world.store, world.state().registry.version(1).digest), rows)["prediction"].to_numpy()[:250]
    assert rmse["value"] == pytest.approx(float(np.sqrt(np.mean((values - rows["delay"].to_numpy()[:250]) ** 2))))
    candidate = world.state().registry.version(1).candidate
    assert rmse["at_gates"] == candidate.metrics["candidate"]["rmse"]
    said = run("monitor", cwd=copy).out
    assert "250 of them with a label that was due" in said
    assert "limit: rmse 3," in said
    (copy / "towpath.yaml").write_text((copy / "towpath.yaml").read_text().replace("rmse: 3.0", "rmse: champion + 0.5"))
    assert candidate.standard_errors is not None
    limit = f"limit: rmse {rmse['at_gates'] + 0.5:.4g} (standard error {candidate.standard_errors['rmse']:.2g})"
    assert limit in run("monitor", cwd=copy).out
    assert 0 < candidate.standard_errors["rmse"] < 0.2 * rmse["at_gates"]  # of 120 rows: about 1 / sqrt(2 * 120)


def test_a_label_that_is_not_due_is_not_counted(run, copy):
    ask(copy, trips(50, seed=3), labelled=50)
    text = (copy / "towpath.yaml").read_text().replace("label: delay", "label: {column: delay, after: 1d}")
    (copy / "towpath.yaml").write_text(text)
    view = json.loads(run("monitor", "--json", cwd=copy).out)
    assert (view["answers"], view["labelled"], view["figures"]) == (50, 0, [])


def test_decisions_are_told_with_the_rules(run, copy):
    assert "no trigger has fired or was refused yet" in run("decisions", cwd=copy).out
    fired = ev.TriggerFired(trigger="new_rows", cause="90 new rows in trips (+15%)", key="a", run=2)
    refused = ev.TriggerRefused(trigger="drift", cause="finding 1: wind drifted", key="b", because="cooldown: 6.0 h must pass")
    world_of(copy).tell(fired, refused)
    said = run("decisions", cwd=copy).out.splitlines()
    assert said[0] == "a run is started by: new_rows 10%, drift; cooldown 6h; limit 8/week"
    assert "new_rows  run 2     90 new rows in trips (+15%)" in said[2]
    assert "drift     refused   finding 1: wind drifted: cooldown: 6.0 h must pass" in said[3]
    assert [one["run"] for one in json.loads(run("decisions", "--json", "-n", "1", cwd=copy).out)] == [None]


@pytest.fixture(scope="module")
def server(made):
    """The project's own server, on a free port; its URL."""
    ready = made / ".towpath" / "serve-0.json"
    process = subprocess.Popen([sys.executable, "-m", "towpath", "serve", "--port", "0", "--ready", str(ready)], cwd=made)
    end = time.monotonic() + 60
    while not ready.exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{json.loads(ready.read_bytes())['port']}"
    process.terminate()
    process.wait(30)
    ready.unlink()


def test_the_request_that_is_printed_is_answered(run, made, server):
    said = run("request", cwd=made)
    first, *_, second = said.out.splitlines()
    done = subprocess.run(["bash", "-c", first], capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    world = world_of(made)
    golden = unpack(world.store, world.state().registry.version(1).digest).golden()
    assert answer["outputs"][0]["data"][0] == pytest.approx(golden.answers[0][0], abs=1e-4)
    told = subprocess.run(["bash", "-c", second], capture_output=True, text=True, check=True)
    assert json.loads(told.stdout) == {"accepted": 1}
    assert json.loads(run("request", "--json", cwd=made).out)["url"].startswith(server)


@pytest.mark.usefixtures("server")
def test_labels_of_a_file_reach_the_journal(run, made, tmp_path):
    (tmp_path / "labels.csv").write_text("id,delay\n007,1.5\n8,\n9,2\n")
    said = run("labels", tmp_path / "labels.csv", cwd=made)
    assert said.code == 0, said.err
    assert "2 labels sent" in said.out
    world = world_of(made)
    commit(world.spool, world.journal)
    known = dict(world.journal.labels().frame.select("id", "value").iter_rows())
    assert (known["007"], known["9"]) == ("1.5", "2.0")
    assert "8" not in known


def test_a_server_that_is_not_there_is_told(run, made):
    (made / "one.json").write_text('[{"id": "a", "label": 1}]')
    said = run("labels", "one.json", "--url", "http://127.0.0.1:9", cwd=made)
    (made / "one.json").unlink()
    assert said.code == 1
    assert "no server answers at http://127.0.0.1:9/labels" in said.err
    with pytest.raises(Unavailable):
        post("http://127.0.0.1:9/labels", b"[]")


def test_what_the_server_refuses_is_told(server):
    with pytest.raises(Refused, match="the server answered 400: the request does not fit"):
        post(f"{server}/labels", b'[{"label": 1}]')


@pytest.mark.parametrize(
    ("name", "text", "labels"),
    [
        ("a.csv", "id,label\n1,yes\n2,no\n", [("1", "yes"), ("2", "no")]),
        ("a.csv", "id,delay,label\n1,7,3\n", [("1", 3)]),
        ("a.json", '{"id": "x", "label": true}', [("x", True)]),
    ],
)
def test_labels_are_read_by_their_columns(tmp_path, name, text, labels):
    (tmp_path / name).write_text(text)
    assert [(one["id"], one["label"]) for one in read_labels(tmp_path / name, "delay")] == labels


@pytest.mark.parametrize(("name", "text"), [("a.csv", "key,label\n1,2\n"), ("a.csv", "id,other\n1,2\n"), ("a.json", "[1]"), ("a.txt", "x")])
def test_a_file_without_ids_or_labels_is_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError):
        read_labels(tmp_path / name, "delay")


def test_what_is_printed_for_the_shell_survives_the_shell(tmp_path):
    body = {"id": "it's $HOME `x`"}
    words = curl("http://127.0.0.1/a b", body).replace("curl -s", "printf '%s\\n'")
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, check=True)
    url, _, sent = done.stdout.splitlines()
    assert url == "http://127.0.0.1/a b"
    assert json.loads(sent) == body
