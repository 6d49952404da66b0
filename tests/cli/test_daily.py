"""The daily verbs, before there is anything to tell and after: a small project that really ran, was rejected once and serves."""

import json
import shutil
import subprocess
import sys
from datetime import timedelta

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath import events as ev
from towpath import wiring
from towpath.cli.daily import write
from towpath.digest import Digest
from towpath.errors import UsageError
from towpath.ledger import Head
from towpath.locks import Lock
from towpath.project_file import load
from towpath.release.policy import Canary, Plan, Shadow
from towpath.report import runs as run_pages
from towpath.report import versions as version_pages
from towpath.report.columns import aligned
from towpath.verdict import Answer, Verdict

PIPELINE = """
import polars as pl
from sklearn.linear_model import LogisticRegression


def model(train: pl.DataFrame, *, c: float = 1.0):
    return LogisticRegression(C=c).fit(train.drop("late").to_numpy(), train["late"].to_numpy())
"""
YAML = """name: small
data: {trips: trips.csv}
pipeline: pipeline.py
model: {task: binary, rows: trips, label: late, train: model}
gates: [auc >= baseline + 0.1, auc >= champion - 0.05, parity <= 1e-4]
retrain: {when: [commit, new_rows 10%]}
"""


def trips(rows, seed=0):
    random = np.random.default_rng(seed)
    wind, hour = random.normal(size=rows), random.integers(0, 24, rows)
    late = (wind + random.normal(size=rows) * 0.5 > 0.3).astype(int)
    return pl.DataFrame({"wind": wind, "hour": hour, "late": late})


def towpath(folder, *words):
    """In a process of its own: a run holds its lock for as long as its process lives."""
    done = subprocess.run([sys.executable, "-m", "towpath", *words], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def git(folder, *words):
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Version 1 serves production; run 2 was rejected."""
    folder = tmp_path_factory.mktemp("served")
    trips(600).write_csv(folder / "trips.csv")
    (folder / "pipeline.py").write_text(PIPELINE)
    (folder / "towpath.yaml").write_text(YAML)
    (folder / ".gitignore").write_text(".towpath/\n__pycache__/\n")
    git(folder, "init", "-q")
    git(folder, "add", "--all")
    git(folder, "commit", "-qm", "first")
    assert towpath(folder, "run")[0] == 0
    towpath(folder, "turn")  # checks the version in staging
    assert "version 1 serves production" in towpath(folder, "turn")[1]
    (folder / "towpath.yaml").write_text(YAML.replace("0.1,", "0.49,"))
    assert towpath(folder, "run")[0] == 1
    (folder / "towpath.yaml").write_text(YAML)
    return folder


@pytest.fixture
def copy(served, tmp_path):
    """The same project, to be changed."""
    return shutil.copytree(served, tmp_path / "copy")


def test_status_of_a_new_project_names_the_first_command(run, project):
    said = run("status", cwd=project)
    assert said.code == 0
    assert "production  nothing serves yet" in said.out
    assert "next: `towpath run` makes the first version" in said.out


@pytest.mark.parametrize("words", [("show",), ("why",), ("show", "1"), ("predict", "rows.csv")])
def test_without_a_version_the_next_command_is_named(run, project, words):
    said = run(*words, cwd=project)
    assert said.code == 2
    assert "error:" in said.err
    assert len(said.err.splitlines()) == 2


def test_without_a_run_the_first_is_named(run, project):
    assert "towpath run" in run("runs", cwd=project).out
    assert run("runs", "--json", cwd=project).out == "[]\n"


def test_status_tells_what_serves_what_was_tried_and_what_to_do(run, served):
    said = run("status", cwd=served)
    assert "production  version 1 since" in said.out
    assert "none is going on" in said.out
    assert "0 new rows since the last training (+0%); a run is asked for at +10%" in said.out
    assert "run 2" in said.out
    assert "rejected" in said.out
    assert "next: `towpath up`" in said.out


def test_status_says_how_much_the_data_has_grown(run, copy):
    trips(690).write_csv(copy / "trips.csv")
    (grown,) = json.loads(run("status", "--json", cwd=copy).out)["growth"]
    assert (grown["rows_new"], grown["share"], grown["asks_at"]) == (90, 0.15, 0.1)


def test_status_says_when_the_data_is_gone(run, copy):
    (copy / "trips.csv").unlink()
    assert "no file matches 'trips.csv'" in run("status", cwd=copy).out


def test_status_names_the_process_that_is_up(run, copy):
    lock = Lock(copy / ".towpath" / "locks" / "up")
    assert lock.take("process 12, predictions on port 8080")
    assert "up: process 12, predictions on port 8080" in run("status", cwd=copy).out
    lock.release()
    assert "not up" in run("status", cwd=copy).out


def test_a_version_of_uncommitted_changes_is_said_to_wait_for_a_commit(run, copy):
    (copy / "pipeline.py").write_text(PIPELINE.replace("1.0", "0.5"))
    assert towpath(copy, "run")[0] == 0
    world = wiring.world(load(copy, {}))
    digest = world.state().registry.version(2).digest
    world.tell(ev.EnvironmentJudged(environment="staging", version=2, digest=digest, verdicts=()))
    said = run("status", cwd=copy)
    assert "version 2 stays where it is: it was made from a tree with uncommitted changes" in said.out
    assert "next: commit your changes" in said.out
    assert "may not go to production" in run("why", "2", cwd=copy).out


def test_runs_are_a_table(run, served):
    said = run("runs", cwd=served)
    head, one, two = said.out.splitlines()
    assert head.split() == ["run", "started", "commit", "outcome", "version", "auc", "cause", "why"]
    assert "registered" in one
    assert "rejected" in two
    assert "auc" in two
    assert len(run("runs", "--last", "1", cwd=served).out.splitlines()) == 2
    rows = json.loads(run("runs", "--json", cwd=served).out)
    assert [row["outcome"] for row in rows] == ["registered", "rejected"]
    assert rows[0]["version"] == 1
    assert rows[0]["value"] > 0.8
    assert rows[1]["dirty"]


def test_show_has_all_of_a_version(run, served):
    said = run("show", cwd=served)
    assert said.out.startswith("version 1: serves production since")
    for part in ("parameters", "c  1.0", "trips  600 rows  in 1 file", "candidate  baseline", "golden_rows", "production 2"):
        assert part in said.out, part
    assert run("show", "v1", cwd=served).out == said.out
    page = json.loads(run("show", "1", "--json", cwd=served).out)
    assert page["run"]["metrics"]["candidate"]["auc"] > page["run"]["metrics"]["baseline"]["auc"]
    assert [span["environment"] for span in page["served"]] == ["staging", "production"]
    assert page["served"][1]["end"] is None
    assert page["digest"] in said.out


def test_show_has_all_of_a_run_that_was_rejected(run, served):
    said = run("show", "run", "2", cwd=served)
    assert said.out.startswith("run 2: rejected")
    assert "with uncommitted changes" in said.out
    assert "fail  auc >= baseline + 0.49" in said.out
    assert "champion" in said.out


def test_why_tells_the_evidence_in_order(run, served):
    said = run("why", "1", cwd=served)
    places = [said.out.index(f"\n{part}") for part in ("made", "gates", "staging", "served")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("words", "told"),
    [(("show", "7"), "no version called '7'"), (("why", "run", "9"), "no run called '9'"), (("show", "it"), "names no version")],
)
def test_what_is_not_there_is_told(run, served, words, told):
    said = run(*words, cwd=served)
    assert said.code == 2
    assert told in said.err


def test_predict_answers_as_the_version_does(run, served, tmp_path):
    rows = trips(50, seed=1)
    rows.drop("late").with_columns(note=pl.lit("x")).write_parquet(tmp_path / "new.parquet")
    said = run("predict", tmp_path / "new.parquet", cwd=served)
    answers = pl.read_csv(said.out.encode())
    assert answers.columns == ["prediction", "probability"]
    assert (answers["prediction"] == (answers["probability"] > 0.5)).all()
    assert (answers["prediction"] == rows["late"]).mean() > 0.7
    told = json.loads(run("predict", tmp_path / "new.parquet", "--json", cwd=served).out)
    assert told["version"] == 1
    assert [one["prediction"] for one in told["answers"]] == answers["prediction"].to_list()


@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.json"])
def test_predict_writes_rows_and_answers(run, served, tmp_path, name):
    trips(5, seed=1).with_columns(prediction=pl.lit(9)).write_csv(tmp_path / "new.csv")
    said = run("predict", tmp_path / "new.csv", "--out", tmp_path / name, cwd=served)
    assert said.code == 0, said.err
    read = {"out.csv": pl.read_csv, "out.parquet": pl.read_parquet, "out.json": pl.read_json}[name]
    frame = read(tmp_path / name)
    assert frame.columns == ["wind", "hour", "late", "prediction", "prediction_", "probability"]
    assert frame["prediction"].to_list() == [9] * 5


def test_predict_names_a_column_that_is_missing_or_of_another_type(run, served, tmp_path):
    trips(5).drop("wind").write_csv(tmp_path / "less.csv")
    assert "column 'wind'" in run("predict", tmp_path / "less.csv", cwd=served).err
    trips(5).with_columns(hour=pl.lit("noon")).write_csv(tmp_path / "text.csv")
    said = run("predict", tmp_path / "text.csv", cwd=served)
    assert said.code == 2
    assert "column 'hour'" in said.err
    assert run("predict", "nothing.csv", cwd=served).code == 2


def test_a_table_of_no_known_form_is_not_written(tmp_path):
    with pytest.raises(UsageError, match="neither CSV"):
        write(trips(2), tmp_path / "rows.xlsx")


@pytest.fixture(scope="module")
def told(served, tmp_path_factory):
    """A second version on its way to production: shadow, then canary."""
    copy = shutil.copytree(served, tmp_path_factory.mktemp("told") / "copy")
    (copy / "pipeline.py").write_text(PIPELINE.replace("1.0", "0.5"))
    git(copy, "commit", "-aqm", "second")
    assert towpath(copy, "run")[0] == 0
    world = wiring.world(load(copy, {}))
    version = world.state().registry.version(2)
    world.tell(ev.EnvironmentJudged(environment="staging", version=2, digest=version.digest, verdicts=()))
    plan = Plan(stages=(Shadow(requests=10), Canary(share=0.1)))
    started = ev.ReleaseStarted(
        release=1,
        environment="production",
        version=2,
        digest=version.digest,
        champion=1,
        plan=msgspec.to_builtins(plan),
        salt="s",
        because="version 2 passed",
    )
    shadow = ev.StageEntered(release=1, stage=0, share=0.0, because="the release begins")
    world.tell(started, shadow, ev.StageEntered(release=1, stage=1, share=0.1, because="ten pairs agree"))
    return copy


@pytest.fixture
def story(told, tmp_path):
    """The same, to be gone on with: its folder, its world and the second version."""
    copy = shutil.copytree(told, tmp_path / "copy")
    world = wiring.world(load(copy, {}))
    return copy, world, world.state().registry.version(2)


def test_a_release_is_told_in_one_line_and_in_full(run, story):
    copy, _, _ = story
    said = run("status", cwd=copy)
    assert "release 1, canary at 10%, version 2: hold" in said.out
    told = run("why", "2", cwd=copy)
    assert "on its way to production: release 1, canary at 10%" in told.out
    assert "10% of the requests: ten pairs agree" in told.out
    assert "gates (champion: version 1)" in told.out


def test_a_version_that_was_rolled_back_says_so(run, story):
    copy, world, version = story
    because = "errors: 9 of 100 against 0 of 900"
    back = ev.VersionRolledBack(environment="production", version=2, digest=version.digest, to=1, release=1, by="loop", because=because)
    world.tell(back)
    told = run("why", "2", cwd=copy).out
    assert "quarantined: errors: 9 of 100" in told
    assert "rolled back" in told
    assert "version 2 stays where it is" in run("status", cwd=copy).out
    assert "serves production" in run("why", "1", cwd=copy).out


def test_a_version_that_was_replaced_says_so(run, story):
    copy, world, version = story
    promoted = ev.VersionPromoted(
        environment="production", version=2, digest=version.digest, previous=1, release=1, by="loop", because="every guard is safe"
    )
    world.tell(promoted)
    assert "served production until it was replaced; version 2 serves production now" in run("why", "1", cwd=copy).out
    spans = version_pages.spans(1, world.state().live)
    assert spans[-1].end is not None
    assert spans[-1].end > spans[-1].start + timedelta(0)


def started(number):
    facts = {"trigger": "commit", "cause": "commit abc", "commit": "abc", "host": "h", "boot": "b", "pid": 1}
    return ev.RunStarted(run=number, **facts)


def test_a_run_that_goes_on_and_one_that_was_lost_are_told(run, copy):
    world = wiring.world(load(copy, {}))
    world.tell(started(3), ev.RunLost(run=3, because="its process ended without a word"), started(4))
    said = run("status", cwd=copy).out
    assert "run 4 (commit abc), since" in said
    assert "run 3" in said
    lines = run("runs", cwd=copy).out.splitlines()
    assert "lost" in lines[3]
    assert "going on" in lines[4]
    assert "run 4: going on" in run("show", "run", "4", cwd=copy).out


def test_a_version_that_was_never_tried_says_why(run, story):
    copy, world, version = story
    digest = Digest("f" * 64)
    verdict = Verdict(gate="auc >= 0.5", answer=Answer.PASS, because="auc 0.9, must be at least 0.5")
    packaged = ev.CandidatePackaged(run=3, digest=digest, recipe=digest, parameters={})
    judged = ev.GatesJudged(run=3, digest=digest, champion=1, verdicts=(verdict,), metrics={})
    world.tell(packaged, judged, ev.VersionRegistered(version=3, digest=digest, run=3))
    assert "waits for the checks of staging" in run("why", "3", cwd=copy).out
    assert "version 3 waits for the checks of staging" in run("status", cwd=copy).out
    newest = Digest("e" * 64)
    world.tell(
        ev.CandidatePackaged(run=3, digest=newest, recipe=newest, parameters={}),
        ev.GatesJudged(run=3, digest=newest, champion=1, verdicts=(verdict,), metrics={}),
        ev.VersionRegistered(version=4, digest=newest, run=3),
        ev.EnvironmentJudged(environment="staging", version=4, digest=newest, verdicts=(verdict,)),
    )
    assert "was passed over" in run("why", "3", cwd=copy).out
    assert version.number == 2


def test_the_main_metric_is_that_of_the_first_gate_that_names_one():
    assert run_pages.main_metric("binary", ["golden_rows", "each(f1, origin) >= 0.5"]) == "f1"
    assert run_pages.main_metric("regression") == "rmse"


@given(st.lists(st.tuples(st.text("ab ", max_size=5), st.text("ab", min_size=1, max_size=9)), min_size=1, max_size=6))
def test_columns_stand_under_each_other(rows):
    lines = aligned(rows).split("\n")
    width = max(len(first) for first, _ in rows)
    assert len(lines) == len(rows)
    assert all(line[width + 2 :] == last for line, (_, last) in zip(lines, rows, strict=True))


def test_the_ledger_is_read_and_not_written(run, served):
    before = wiring.world(load(served, {})).state().head
    for words in (("status",), ("runs",), ("show",), ("why",)):
        assert run(*words, cwd=served).code == 0
    assert isinstance(before, Head)
    assert wiring.world(load(served, {})).state().head == before
