"""towpath.yaml: what a five-line file becomes, and what every fault in it says."""

from datetime import timedelta
from pathlib import Path

import pytest

from towpath.errors import ProjectError, UsageError
from towpath.project import Declared, Limit
from towpath.project_fields import keys
from towpath.project_file import find, load
from towpath.project_reading import schema
from towpath.quantities import Rate

FIVE_LINES = """\
name: flights
data: {rows: data.csv}
model:
  task: binary
  rows: rows
  label: late
"""
FULL = """\
name: flights
data:
  flights:
    path: data/flights/*.parquet
    time: time_hour
    key: [carrier, flight]
    checks: {rows: {min: 100}, columns: {distance: {type: number, min: 0, nulls: 1%}}}
  weather: data/weather.parquet
model:
  {task: binary, rows: rows, features: features, train: model, label: {column: late, after: 1d, missing: exclude}, parameters: {trees: 200}}
split: {test: {last: 14d}}
gates: [auc >= baseline + 0.05, parity <= 1e-5]
environments:
  staging: {check: [golden_rows]}
  production: {release: {shadow: 500, canary: [10%, 50%], guards: {errors: 1.25x}}}
monitor: {drift: {false_alarms: 1/year}, performance: {auc: champion - 0.04, log_loss: 0.6}}
retrain: {when: [commit, new_rows 10%, drift], cooldown: 6h, limit: 8/week}
alerts: [{webhook: "${ALERT_URL}"}]
seed: 7
"""


def write(folder: Path, text: str) -> Path:
    (folder / "towpath.yaml").write_text(text, encoding="utf-8")
    return folder


def fault(folder: Path, text: str, **environ: str) -> ProjectError:
    with pytest.raises(ProjectError) as caught:
        load(write(folder, text), environ)
    return caught.value


def test_a_short_file_works_and_has_defaults(tmp_path):
    project = load(write(tmp_path, FIVE_LINES), {})
    assert project.name == "flights"
    assert project.data["rows"].path == "data.csv"
    assert project.model.label.column == "late"
    assert project.split.test.random == 0.2
    assert project.monitor.drift.false_alarms == Rate(1, timedelta(days=365))
    assert project.environment("production").release.canary == ()
    assert (project.root, project.home) == (tmp_path, tmp_path / ".towpath")


def test_the_whole_grammar_is_read(tmp_path):
    project = load(write(tmp_path, FULL), {"ALERT_URL": "http://127.0.0.1:9/alert"})
    assert project.model.label.after == timedelta(days=1)
    assert project.split.test.last == timedelta(days=14)
    assert project.environment("production").release.canary == (0.1, 0.5)
    assert project.environment("production").release.guards == {"errors": 1.25}
    assert [(rule.kind, rule.share) for rule in project.retrain.when] == [("commit", 0.1), ("new_rows", 0.1), ("drift", 0.1)]
    assert project.retrain.limit == Rate(8, timedelta(weeks=1))
    assert project.monitor.performance["auc"] == Limit(champion=True, offset=-0.04)
    assert project.monitor.performance["log_loss"] == Limit(offset=0.6)
    assert project.data["flights"].checks.columns["distance"].nulls == 0.01
    assert project.alerts[0].webhook == "http://127.0.0.1:9/alert"


def test_a_project_is_frozen(tmp_path):
    project = load(write(tmp_path, FIVE_LINES), {})
    with pytest.raises(AttributeError, match="immutable"):
        project.seed = 2


FAULTS = {
    "a wrong key": (FIVE_LINES + "gate: [auc >= 0.6]\n", 7, "gate", "unknown key `gate`", "did you mean `gates`?"),
    "a wrong key inside": (FIVE_LINES + "retrain:\n  cooldwn: 6h\n", 8, "retrain.cooldwn", "unknown key `retrain.cooldwn`", "`cooldown`"),
    "a wrong key in a list": (
        FIVE_LINES + "alerts:\n  - {webhook: a}\n  - {webhok: b}\n",
        9,
        "alerts.1.webhok",
        "unknown key `alerts.1.webhok`",
        "`webhook`",
    ),
    "a wrong key under a name": (
        FIVE_LINES.replace("{rows: data.csv}", "{rows: {path: a, tme: b}}"),
        2,
        "data.rows.tme",
        "unknown key `data.rows.tme`",
        "`time`",
    ),
    "a wrong key under an environment": (
        FIVE_LINES + "environments:\n  production:\n    release:\n      canry: [10%]\n",
        10,
        "environments.production.release.canry",
        "unknown key",
        "`canary`",
    ),
    "a key like no other": (FIVE_LINES + "zzz: 1\n", 7, "zzz", "unknown key `zzz`", "known here: name, data"),
    "a wrong type": (FIVE_LINES + "seed: many\n", 7, "seed", "`seed` cannot be 'many'", "docs/project.md"),
    "a wrong word": (
        FIVE_LINES.replace("binary", "guessing"),
        4,
        "model.task",
        "`model.task` cannot be 'guessing'",
        "one of: binary, multiclass, regression",
    ),
    "a wrong duration": (FIVE_LINES + "retrain: {cooldown: 6 hours}\n", 7, "retrain.cooldown", "'6 hours' is no duration", "14d, 6h"),
    "a duration without a unit": (FIVE_LINES + "retrain: {cooldown: 6}\n", 7, "retrain.cooldown", "'6' is no duration", "14d, 6h"),
    "a wrong share": (FIVE_LINES + "split: {test: {random: 120%}}\n", 7, "split.test.random", "'120%' is no share", "10%"),
    "a wrong rate": (FIVE_LINES + "retrain: {limit: 8}\n", 7, "retrain.limit", "'8' is no rate", "8/week"),
    "a wrong factor": (
        FIVE_LINES + "environments: {production: {release: {guards: {errors: 25%}}}}\n",
        7,
        "environments.production.release.guards.errors",
        "no factor",
        "1.25x",
    ),
    "a wrong limit": (FIVE_LINES + "monitor: {performance: {auc: best}}\n", 7, "monitor.performance.auc", "'best' is no limit", ""),
    "two ways to hold out": (FIVE_LINES + "split: {test: {last: 1d, random: 20%}}\n", 7, "split.test", "a holdout is one of", ""),
    "a missing key": (FIVE_LINES.replace("  label: late\n", ""), 3, "model.label", "`model.label` is missing", "add `label:`"),
    "an unknown environment": (
        FIVE_LINES + "environments: {prod: {}}\n",
        7,
        "environments.prod",
        "`environments.prod`",
        "did you mean production?",
    ),
    "no dataset": (FIVE_LINES.replace("{rows: data.csv}", "{}"), 2, "data", "`data`", ""),
    "not YAML": ("name: flights\ndata: [a\nmodel: {}\n", 3, "", "not YAML", "brackets"),
    "a key twice": (FIVE_LINES + "name: other\n", 7, "", "not YAML", ""),
    "nothing": ("# only a comment\n", 1, "", "holds no keys", "name:"),
    "a list": ("- name\n", 1, "", "holds no keys", "name:"),
    "an unset variable": (
        FIVE_LINES + "alerts:\n  - webhook: ${NOT_SET}\n",
        8,
        "alerts.0.webhook",
        "the environment has no NOT_SET",
        "export NOT_SET=",
    ),
    "a missing pipeline": (FIVE_LINES + "pipeline: steps.py\n", 7, "pipeline", "there is no file steps.py", ""),
    "a bad name": (FIVE_LINES.replace("name: flights", "name: 3 flights"), 1, "name", "`name` cannot be '3 flights'", ""),
}


@pytest.mark.parametrize(("text", "line", "key", "what", "mend"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_has_its_line_its_key_and_the_mend(tmp_path, text, line, key, what, mend):
    told = fault(tmp_path, text)
    assert (told.line, told.exit_code) == (line, 2)
    assert f"towpath.yaml:{line}: " in told.what
    assert what in told.what
    assert mend in told.mend
    if key:
        assert told.key == key


def test_a_binary_file_is_no_project(tmp_path):
    (tmp_path / "towpath.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(ProjectError, match="not UTF-8"):
        load(tmp_path, {})


def test_more_faults_are_counted(tmp_path):
    told = fault(tmp_path, FIVE_LINES + "seed: many\nalert: []\n")
    assert "unknown key `alert`" in told.what
    assert "(and 1 more)" in told.what


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", "y", "n"])
def test_yaml_1_2_words_are_words(tmp_path, word):
    project = load(write(tmp_path, FIVE_LINES.replace("label: late", f"label: {word}").replace("rows: rows", f"rows: {word}")), {})
    assert project.model.label.column == word
    assert project.model.rows == word


def test_yaml_1_2_numbers_are_numbers(tmp_path):
    project = load(write(tmp_path, FIVE_LINES + "seed: 010\n"), {})
    assert project.seed == 10  # not octal
    with pytest.raises(ProjectError, match="`name` cannot be"):
        load(write(tmp_path, FIVE_LINES.replace("name: flights", "name: 12:30")), {})


def test_variables_are_put_in_wherever_they_stand(tmp_path):
    text = FIVE_LINES + 'alerts: [{webhook: "http://${HOST}:${PORT}/$x"}]\n'
    assert load(write(tmp_path, text), {"HOST": "here", "PORT": "80"}).alerts[0].webhook == "http://here:80/$x"


def test_the_nearest_file_above_is_found(tmp_path):
    deep = write(tmp_path, FIVE_LINES) / "a" / "b"
    deep.mkdir(parents=True)
    assert find(deep) == tmp_path / "towpath.yaml"
    assert load(deep, {}).root == tmp_path


def test_no_file_is_told_with_the_way_on(tmp_path):
    with pytest.raises(UsageError, match=r"there is no towpath\.yaml in") as caught:
        load(tmp_path, {})
    assert "towpath init" in caught.value.mend


def test_state_may_live_elsewhere(tmp_path):
    assert load(write(tmp_path, FIVE_LINES), {"TOWPATH_HOME": "/elsewhere"}).home == Path("/elsewhere")


def test_the_schema_knows_every_key():
    declared = schema(Declared)
    assert set(declared["properties"]) == set(keys(Declared))
    assert declared["additionalProperties"] is False


def test_a_fault_found_later_still_has_its_line(tmp_path):
    project = load(write(tmp_path, FIVE_LINES), {})
    told = project.fault("model", "label", "column", what="no such column", mend="name another")
    assert told.line == 6
    assert told.key == "model.label.column"
