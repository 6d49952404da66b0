"""`towpath reproduce`: versions come out the same again, or it says what is another and where that comes from."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from msgspec.structs import replace
from tests.proof.conftest import PIPELINE, YAML, Work

from towpath import events as ev
from towpath import holdings, kept
from towpath.data.manifest import files_of
from towpath.ledger import Entry, Head
from towpath.pipeline.distributions import versions
from towpath.project_file import load
from towpath.proof.environment import changed
from towpath.report.reproduction import Answer, Reproduction, figures, in_words
from towpath.store import Execution
from towpath.store.memory import MemoryStore

SLIPPING = """

def slipping(rows: pl.DataFrame) -> pl.DataFrame:
    import os, time

    if "BROKEN" in os.environ:
        raise ValueError("the sensor is gone")
    return rows.with_columns(slip=pl.col("km") + time.time_ns() % 1000 * 1e-12)


def drawn(rows: pl.DataFrame) -> str:
    import secrets

    return secrets.token_hex(8)


def counted(rides: pl.DataFrame) -> int:
    return rides.height
"""
STEPS = "steps: {counted: {each: hour}, slipping: {}, drawn: {}}\n"


@pytest.fixture(scope="module")
def proved(tmp_path_factory: pytest.TempPathFactory) -> Work:
    """Version 1 is of a commit, without some rows; version 2 of uncommitted code, with another parameter, more rows and these rows too."""
    work = Work(tmp_path_factory.mktemp("proved"))
    work.commit()
    project = load(work.root, {})
    held = ev.RowsExcluded(exclusion=1, dataset="rides", where="hour = 3", by="ann", because="a broken sensor")
    kept.records(project).tell(held)
    work.run()
    kept.records(project).tell(ev.ExclusionLifted(exclusion=1, by="ann", because="it was not"))
    work.rides(700)
    work.write(YAML.replace("train: model}", "train: model, parameters: {c: 0.3}}") + STEPS, PIPELINE + SLIPPING)
    work.run()
    work.write(YAML, PIPELINE)
    work.rides(10)  # what lies there now has no part in it
    return work


class Again(NamedTuple):
    """What `reproduce 1` said, and what it left as it was."""

    code: int
    told: str
    found: Reproduction
    before: tuple[list[Execution], Head]


@pytest.fixture(scope="module")
def again(proved: Work) -> Again:
    project = load(proved.root, {})
    before = [*holdings.store_here(project).executions()], kept.state(project).head
    done = subprocess.run([sys.executable, "-m", "towpath", "reproduce", "1", "--json"], cwd=proved.root, capture_output=True, check=False)
    return Again(done.returncode, done.stderr.decode(), msgspec.json.decode(done.stdout, type=Reproduction), before)


@pytest.fixture
def copy(proved: Work, tmp_path: Path) -> Path:
    """The same project, to be damaged."""
    return shutil.copytree(proved.root, tmp_path / "copy")


def test_a_version_comes_out_identical_with_the_rows_that_were_excluded_then(again):
    assert (again.code, again.told, again.found.answer, again.found.suspect) == (0, "", Answer.IDENTICAL, None)
    assert [(part.name, part.answer) for part in (*again.found.steps, again.found.package)] == [
        ("rows", Answer.IDENTICAL),
        ("model", Answer.IDENTICAL),
        ("package", Answer.IDENTICAL),
    ]


def test_it_is_told_in_words(again):
    lines = in_words(again.found, 100).splitlines()
    assert lines[0].endswith("made again without the cache: identical")
    assert [line.split()[:2] for line in lines[1:4]] == [["rows", "identical"], ["model", "identical"], ["package", "identical"]]
    assert "suspected" not in lines[-2]
    assert lines[-1] == f"statement: {again.found.statement}"


def test_the_cache_and_the_ledger_are_as_they_were(proved, again):
    project = load(proved.root, {})
    assert ([*holdings.store_here(project).executions()], kept.state(project).head) == again.before


def test_what_differs_is_told_with_its_layer(proved, towpath):
    said = towpath(proved.root, "reproduce", "v2", "--json")
    assert said.code == 1
    found = json.loads(said.out)
    assert (found["answer"], found["package"]["answer"]) == ("different", "identical")
    steps = {one["name"]: one for one in found["steps"]}
    assert {name: one["answer"] for name, one in steps.items() if one["answer"] != "identical"} == {
        "drawn": "different",
        "slipping": "equal",
    }
    assert {"rows", "model", "counted", "counted[7]"} <= steps.keys()
    assert 0 < steps["slipping"]["far"] < 1e-8
    assert found["suspect"]["layer"] == "seed"
    assert "another each time" in found["suspect"]["because"] or "something else each time" in found["suspect"]["because"]
    assert {one["answer"] for one in found["metrics"]} == {"identical"}


def test_a_step_that_can_no_longer_be_made_is_told(proved, towpath, monkeypatch):
    monkeypatch.setenv("BROKEN", "1")
    found = json.loads(towpath(proved.root, "reproduce", "2", "--json").out)
    because = {one["name"]: one["because"] for one in found["steps"] if one["now"] is None}
    assert because["slipping"] == "step 'slipping' raised ValueError: the sensor is gone"
    assert because["model"] == "not reached"
    assert found["package"]["now"] is None


def test_the_statement_has_the_digests(proved, again):
    said = json.loads(Path(again.found.statement).read_text())
    state = kept.state(load(proved.root, {}))
    version, run = state.registry.version(1), state.runs.all[1]
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["predicateType"] == "https://slsa.dev/provenance/v1"
    assert said["subject"][0]["digest"]["blake3"] == version.digest
    made_of = {one["name"]: one for one in said["predicate"]["buildDefinition"]["resolvedDependencies"]}
    assert made_of["commit"]["digest"] == {"gitCommit": run.commit}
    assert made_of["data/rides"]["digest"] == {"blake3": run.snapshots["rides"].digest}
    assert made_of["data/rides"]["annotations"]["excluded"] == 25
    assert made_of["distributions"]["digest"] == {"blake3": run.distributions}
    made = {one["name"]: one["annotations"]["answer"] for one in said["predicate"]["runDetails"]["byproducts"]}
    assert made["package"] == made["step/rows"] == made["metric/auc"] == "identical"


def test_another_environment_is_told(proved, again):
    project = load(proved.root, {})
    run, store = kept.state(project).runs.all[1], MemoryStore()
    then = json.loads(holdings.store_here(project).get(run.distributions))
    other = replace(run, distributions=store.put(json.dumps(then | {"polars": "0.1", "gone": "1"}).encode()))
    changes = changed(other, store)
    assert [(change.name, change.before) for change in changes] == [("gone", "1"), ("polars", "0.1")]
    assert "  distribution gone is gone, was 1" in in_words(replace(again.found, environment=tuple(changes)), 100).splitlines()


@pytest.mark.parametrize(
    ("before", "now", "tolerance", "answer"),
    [
        (0.7, 0.7, 0.0, Answer.IDENTICAL),
        (0.7, 0.7000001, 1e-6, Answer.EQUAL),
        (0.7, 0.7000001, 1e-9, Answer.DIFFERENT),
        (2e6, 2e6 + 1, 1e-6, Answer.EQUAL),
        (0.7, None, 1e-6, Answer.DIFFERENT),
    ],
)
def test_figures_are_equal_within_the_tolerance(before, now, tolerance, answer):
    (part,) = figures({"auc": before}, {} if now is None else {"auc": now}, tolerance)
    assert part.answer is answer


def test_erased_rows_are_told(copy, towpath):
    project = load(copy, {})
    run = kept.state(project).runs.all[1]
    (file,) = files_of(holdings.store_here(project), run.snapshots["rides"].digest)
    erased = {"dataset": "rides", "key": file.digest, "rows": 1, "objects": {file.digest: ""}, "snapshots": (), "versions": (1,)}
    kept.records(project).tell(ev.RowsErased(**erased, journal=0, by="ann", because="asked"))
    said = towpath(copy, "reproduce", "1")
    assert said.code == 1
    assert "rows of rides that it was trained on were erased since" in said.err
    assert "towpath run" in said.err


def test_a_commit_that_is_gone_is_told(copy, towpath):
    shutil.rmtree(copy / ".git")
    Work.git(type("Bare", (), {"root": copy})(), "init", "-q")
    said = towpath(copy, "reproduce", "1")
    assert said.code == 2
    assert "cannot be taken from the repository" in said.err
    assert "git fetch" in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [(("7",), "no version called '7'"), (("run", "1"), "unexpected extra argument"), (("it",), "names no version")],
)
def test_what_is_no_version_is_told(proved, towpath, words, told):
    said = towpath(proved.root, "reproduce", *words)
    assert said.code == 2
    assert told in said.err


def test_a_snapshot_that_is_not_here_is_told(copy, towpath):
    shutil.rmtree(copy / ".towpath/store")
    said = towpath(copy, "reproduce", "1")
    assert said.code == 2
    assert "does not have the snapshot of rides" in said.err
    assert "towpath data pull" in said.err


@pytest.fixture
def barges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Two distributions of this machine alone, of which one does not say what it consists of; and with which versions a run was made."""
    for name, modules in (("barges", "barges\n"), ("rafts", "")):
        told = tmp_path / f"site/{name}-1.2.dist-info"
        told.mkdir(parents=True)
        (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        (told / "WHEEL").write_text("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        (told / "RECORD").write_text(f"{name}-1.2.dist-info/METADATA,,\n{name}-1.2.dist-info/WHEEL,,\n")
        (told / "direct_url.json").write_text(f'{{"dir_info": {{"editable": true}}, "url": "file:///{name}"}}')
        (told / "top_level.txt").write_text(modules)
    (tmp_path / "site/barges.py").write_text("A = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return {"barges": "1.1", "rafts": "1.2"}


@pytest.mark.parts
@pytest.mark.timeout(600)
def test_the_environment_is_built_anew(copy, towpath, barges):
    """With few distributions: those of a machine with everything take minutes. No index has what this machine alone has."""
    pytest.importorskip("pip")
    project = load(copy, {})
    run = kept.state(project).runs.all[1]
    store = holdings.store_here(project)
    there = _needed(json.loads(store.get(run.distributions))) | barges
    _retold(project, run.distributions, store.put(json.dumps(there).encode()))
    said = towpath(copy, "reproduce", "1", "--env", "--project", copy)
    assert said.code == 0, said.err
    assert "as they are on this machine, which no index has: barges 1.2 (was 1.1), rafts 1.2" in said.err
    assert "left out: rafts 1.2 is installed to be edited in file:///rafts, and does not say which modules it has" in said.err
    assert "identical" in said.out
    assert "distribution barges is 1.2, was 1.1" in said.out
    assert "distribution rafts is gone, was 1.2" in said.out


def _needed(there: dict[str, str]) -> dict[str, str]:
    core = ["msgspec", "blake3", "ruamel", "deltalake", "granian", "jinja2", "numpy", "onnxruntime", "polars", "prometheus_client", "rich"]
    needed = versions([*core, "pyfastcdc", "scipy", "typer", "sklearn", "onnx", "skl2onnx", "onnxmltools"])
    return {name: version for name, version in there.items() if name in needed}


def _retold(project, before: str, after: str) -> None:
    """The same ledger, with another digest in it."""
    told = [record.entry for record in kept.ledger(project).read()]
    for file in (project.home).glob("ledger.sqlite*"):
        file.unlink()
    changed = []
    for entry in told:
        event = entry.event
        if isinstance(event, ev.RunStarted) and event.distributions == before:
            event = ev.RunStarted(**{name: getattr(event, name) for name in event.__struct_fields__} | {"distributions": after})
        changed.append(Entry(id=entry.id, at=entry.at, machine=entry.machine, event=event))
    kept.ledger(project).append(changed)
