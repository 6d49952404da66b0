"""A release through the real loop: rows in a journal, the tally, the policy, the ledger; and a controller that is replaced in mid-way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from msgspec import structs
from tests.loop import little

from towpath import wiring
from towpath.clock import ReplayClock
from towpath.events import StageEntered, VersionPromoted, VersionRolledBack
from towpath.journal import Batch, Scored
from towpath.journal.memory import MemoryJournal
from towpath.loop import Loop
from towpath.world import World

START = datetime(2024, 4, 1, tzinfo=UTC)
YAML = little.YAML.replace("canary: [50%]}", "canary: [50%], guards: {errors: 1.25x}}")


@dataclass
class Traffic:
    """Requests as workers would journal them: a challenger fails this share of those that it was assigned."""

    world: World
    clock: ReplayClock
    failing: float
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(8))
    sent: int = 0

    def send(self, count: int) -> None:
        release = self.world.state().live.going_on("production")
        stage = release.stage if release else None
        rows: list[Scored] = []
        for number in range(self.sent, self.sent + count):
            challenged = bool(stage and self.random.random() < stage.share)
            rows.append(self.row(number, 2 if challenged else 1, "answer"))
            if stage and not stage.share:
                rows.append(self.row(number, 2, "shadow"))
        self.sent += count
        told = [assigned(row, release, stage) for row in rows]
        self.world.journal.append([Batch(segment=f"s{self.sent}", start=0, end=len(told), rows=tuple(told))])
        self.clock.set(self.clock.now() + timedelta(minutes=2))

    def row(self, number: int, version: int, role: str) -> Scored:
        fails = version == 2 and self.random.random() < self.failing
        return Scored(
            id=f"r{number}",
            at=self.clock.now(),
            environment="production",
            version=version,
            arm="challenger" if version == 2 else "champion",
            role=role,  # type: ignore[arg-type]
            answered_by=1 if fails or role == "shadow" else version,
            outcome="error" if fails else "ok",
            latency_s=0.001,
            row="{}",
            prediction="true",
        )


def assigned(row: Scored, release: object, stage: object) -> Scored:
    """The row as it is assigned in a release's stage."""
    if release is None or stage is None:
        return row
    return structs.replace(row, release=release.number, stage=stage.index, share=stage.share)  # type: ignore[attr-defined]


def begun(tmp_path: Path, failing: float) -> tuple[Traffic, Loop]:
    """Version 1 has served a while, and version 2 asks to replace it."""
    root = little.prepared(tmp_path / "little", little.waiting, YAML)
    project = little.world(root).project
    clock = ReplayClock(project.home / "clock", start=START)
    world = replace(wiring.world(project, project.home / "clock"), journal=MemoryJournal())
    traffic = Traffic(world, clock, failing)
    traffic.send(500)
    loop = wiring.loop(world, little.Idle())
    loop.turn()
    assert world.state().live.going_on("production")
    return traffic, loop


def play(traffic: Traffic, loop: Loop, steps: int = 100) -> VersionPromoted | VersionRolledBack:
    for _ in range(steps):
        traffic.send(200)
        for event in loop.turn().events:
            if isinstance(event, VersionPromoted | VersionRolledBack):
                return event
    raise AssertionError(f"no end after {traffic.sent} requests: {loop.evidence}")


def test_an_equal_challenger_is_promoted(tmp_path: Path) -> None:
    traffic, loop = begun(tmp_path, failing=0.0)
    ended = play(traffic, loop)
    assert isinstance(ended, VersionPromoted)
    assert (ended.version, ended.previous) == (2, 1)
    assert ended.evidence
    assert loop.state.live.champion("production") == 2


def test_a_challenger_that_fails_three_of_a_hundred_is_rolled_back(tmp_path: Path) -> None:
    traffic, loop = begun(tmp_path, failing=0.03)
    ended = play(traffic, loop)
    assert isinstance(ended, VersionRolledBack)
    assert (ended.version, ended.to, ended.by) == (2, 1, "loop")
    assert loop.state.live.champion("production") == 1
    assert ended.digest in loop.state.live.quarantine
    traffic.send(200)
    assert not [event for event in loop.turn().events if isinstance(event, StageEntered)]


def test_another_controller_goes_on_with_equal_evidence_and_decides_the_same(tmp_path: Path) -> None:
    traffic, loop = begun(tmp_path, failing=0.0)
    while not traffic.world.state().live.releases[1].stages[-1].share:
        traffic.send(200)
        loop.turn()
    traffic.send(300)
    loop.turn()
    other = wiring.loop(traffic.world, little.Idle())
    other.turn()
    assert other.evidence == loop.evidence != {}
    ended = play(traffic, other)
    assert isinstance(ended, VersionPromoted)
    assert not [event for event in loop.turn().events if isinstance(event, VersionPromoted)]  # the first one, late, does nothing
    assert loop.state.live.champion("production") == 2
