"""Runs that search their parameters: told, kept, reused by the next, and searched again where reusing did not help."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from tests.loop import little

from towpath.events import FindingMade, Outcome, ParametersChosen, TriggerFired
from towpath.run import run
from towpath.search.searched import Searched

SPACE = "search: {trials: 3, folds: 2, sampler: random, space: {c: {float: [0.1, 10], log: true}}}\n"
YAML = little.YAML + SPACE


def chosen(root: Path) -> list[ParametersChosen]:
    return [event for event in little.events(root, ParametersChosen) if isinstance(event, ParametersChosen)]


def test_what_was_searched_is_trained_with_and_every_trial_is_kept(tmp_path: Path) -> None:
    root = little.make(tmp_path / "little", towpath=YAML)
    assert little.ran(root).version == 1
    [told] = chosen(root)
    assert (told.way, told.trials, told.metric) == ("fresh", 3, "auc")
    world = little.world(root)
    assert world.state().registry.version(1).candidate.parameters == told.parameters
    assert told.trials_in
    kept = msgspec.json.decode(world.store.get(told.trials_in), type=Searched)
    assert [trial.number for trial in kept.trials] == [0, 1, 2]
    assert max(trial.value or 0 for trial in kept.trials) == kept.value == told.value
    assert kept.parameters == told.parameters


def test_the_next_run_takes_the_champions_parameters(tmp_path: Path) -> None:
    root = little.make(tmp_path / "little", towpath=YAML)
    little.live(root)
    little.deliver(root, 3)
    assert little.ran(root).version == 2
    first, second = chosen(root)
    assert (second.way, second.parameters, second.trials) == ("reuse", first.parameters, 0)


@pytest.mark.parametrize("way", ["resume", "fresh"])
def test_a_search_that_is_asked_for_again_tries_the_champions_parameters_first(tmp_path: Path, way: str) -> None:
    root = little.make(tmp_path / "little", towpath=YAML.replace("search: {", f"search: {{retrain: {way}, "))
    little.live(root)
    little.deliver(root, 3)
    assert little.ran(root).version == 2
    first, second = chosen(root)
    assert (second.way, second.trials) == (way, 3)
    kept = msgspec.json.decode(little.world(root).store.get(str(second.trials_in)), type=Searched)
    assert kept.trials[0].parameters == first.parameters


def test_after_two_rejected_retrains_for_one_finding_it_is_searched_once(tmp_path: Path) -> None:
    root = little.make(tmp_path / "little", towpath=YAML)
    little.live(root)
    little.commit(root, towpath=YAML.replace("baseline + 0.1", "baseline + 0.49"))
    world = little.world(root)
    at = {"start": datetime(2024, 3, 1, tzinfo=UTC), "end": datetime(2024, 3, 2, tzinfo=UTC)}
    world.tell(FindingMade(finding=1, subject="drift", what="distance", version=1, because="it drifted", effect=0.3, **at))
    for number, month in enumerate((3, 4, 5, 6), start=2):
        little.deliver(root, month)
        world.tell(TriggerFired(trigger="drift", key=f"finding:1:{month}", cause="finding 1", run=number))
        assert run(little.world(root), little.ENVIRON, fired=number).outcome is Outcome.REJECTED
    assert [one.way for one in chosen(root)] == ["fresh", "reuse", "reuse", "fresh", "reuse"]
    assert "2 retrains for finding 1 were rejected" in chosen(root)[3].because


def test_models_compete_where_none_is_named(tmp_path: Path) -> None:
    yaml = little.YAML.replace("train: model", "train: auto") + "search: {trials: 5, folds: 2}\n"
    root = little.make(tmp_path / "little", towpath=yaml)
    assert little.ran(root).version == 1
    [told] = chosen(root)
    kept = msgspec.json.decode(little.world(root).store.get(str(told.trials_in)), type=Searched)
    assert kept.standings[0].chosen == told.parameters
    assert {one.contender for one in kept.standings} | set(kept.left_out) == {"logistic", "boosting", "lightgbm", "xgboost", "forest"}
    assert len(kept.trials) == sum(one.trials for one in kept.standings)


def test_rows_that_are_set_aside_for_the_search_are_its_one_fold(tmp_path: Path) -> None:
    yaml = YAML.replace("folds: 2, ", "").replace("test: {random: 30%}", "test: {random: 30%}, valid: {random: 20%}")
    root = little.make(tmp_path / "little", towpath=yaml)
    assert little.ran(root).version == 1
    [told] = chosen(root)
    kept = msgspec.json.decode(little.world(root).store.get(str(told.trials_in)), type=Searched)
    assert {len(trial.values) for trial in kept.trials} == {1}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SPACE.replace("{c:", "{cc:"), ("no keyword-only parameter of 'model' called 'cc'", "towpath.yaml:21", "did you mean c?")),
        ("search: {trials: 3}\n", ("'model' has no `space`", "towpath.yaml:21", "train: auto")),
    ],
)
def test_a_search_that_cannot_be_is_told_before_it_begins(tmp_path: Path, text: str, told: tuple[str, ...]) -> None:
    root = little.make(tmp_path / "little", towpath=little.YAML + text)
    ended = little.ran(root)
    assert ended.outcome is Outcome.FAILED
    assert all(one in ended.because for one in told), ended.because


GROUPS = """\
name: groups
data: {rides: data/*.parquet}
clusters: {rows: rides, leave: [time, late]}
search: {trials: 5, folds: 2}
"""


def test_groups_are_looked_for_and_the_leaderboard_is_kept(tmp_path: Path) -> None:
    root = little.make(tmp_path / "little", towpath=GROUPS, months=1)
    ended = little.ran(root)
    assert (ended.outcome, ended.version) == (Outcome.EXECUTED, None)
    assert "came first of 3 with silhouette" in ended.because
    [told] = chosen(root)
    kept = msgspec.json.decode(little.world(root).store.get(str(told.trials_in)), type=Searched)
    assert {one.contender for one in kept.standings} == {"kmeans", "batches", "mixture"}
    assert len(kept.trials) == told.trials == 5


def test_a_column_to_leave_out_that_is_not_there_is_told(tmp_path: Path) -> None:
    root = little.make(tmp_path / "little", towpath=GROUPS.replace("late]", "later]"), months=1)
    ended = little.ran(root)
    assert ended.outcome is Outcome.FAILED
    assert "no column called 'later'" in ended.because
    assert "towpath.yaml:3" in ended.because
