"""From requests to the world outside: real workers, a real loop, a real receiver that is down, and that outlives the loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from tests.loop import little
from tests.loop.receiver import Receiver

from towpath import wiring
from towpath.backtest.crew import Crew
from towpath.clock import ReplayClock
from towpath.events import FindingMade, VersionPromoted, VersionRolledBack
from towpath.monitor.alerts import cloud_event, is_told
from towpath.run import run
from towpath.serving.requests import bodies

START = datetime(2024, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
YAML = little.YAML.replace("monitor: {drift: null}", "monitor: {drift: {false_alarms: 1/year, window: 1d}}")
YAML = YAML.replace("{shadow: 20, canary: [50%]}", "{canary: [50%], guards: {errors: 1.25x}}")
ENVIRON = {name: value for name, value in little.ENVIRON.items() if name != "TOWPATH_HOME"}


class Story:
    """A project with its loop and workers on a replay's clock."""

    def __init__(self, root: Path, port: int) -> None:
        self.root = little.make(root, towpath=f'{YAML}alerts: [{{webhook: "http://127.0.0.1:{port}/hook"}}]\n')
        file = little.world(self.root).project.home / "clock"
        self.clock = ReplayClock(file, start=START)
        self.world = wiring.world(little.world(self.root).project, file)
        self.crew = Crew(self.root, file, ENVIRON)
        self.sent = 0

    def send(self, rides: pl.DataFrame) -> None:
        """Each row is a request, answered by a real worker."""
        ids = [f"r{self.sent + number}" for number in range(rides.height)]
        answers = list(self.crew.client.post_all("/v2/models/little/infer", list(bodies(rides.drop("time", "late"), ids))))
        assert {answer[0] for answer in answers if answer} == {200}
        self.sent += rides.height

    def turns(self, until: Callable[[], bool], seconds: float = 40.0) -> None:
        """Turn after turn on a clock that stands still, until something has happened."""
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, (self.root / ".towpath" / "logs" / "outbox.log").read_text()
            self.crew.turn()
            time.sleep(0.1)

    def drifts(self) -> None:
        """Three days of rides that are four times as long as those of training."""
        for day in range(3):
            self.send(little.rides(3, 200, seed=day).with_columns(pl.col("distance") * 4))
            self.clock.set(START + DAY * (day + 1))
            self.crew.settle()

    def fails(self) -> None:
        """Version 2 asks to replace version 1, and a third of its requests fail, until its release has ended."""
        little.commit(self.root, scaling=little.SCALING.replace("column / 10", "column / 12"))
        assert run(self.world, ENVIRON).version == 2
        self.crew.stop()
        self.crew.start("--fault", "33%")
        self.crew.settle()
        for batch in range(20):
            self.send(little.rides(3, 100, seed=batch))
            self.clock.set(self.clock.now() + timedelta(minutes=5))
            self.crew.settle()
            if self.events(VersionRolledBack):
                return
        raise AssertionError(f"no end of the release: {little.events(self.root)[-3:]}")

    def events(self, *kinds: type) -> list[object]:
        return [record.entry.event for record in self.world.ledger.read() if isinstance(record.entry.event, kinds)]

    def told(self) -> list[dict[str, object]]:
        """What the world outside is to hear, in the ledger's order."""
        return [cloud_event(record.entry, "little") for record in self.world.ledger.read() if is_told(record.entry.event)]


@pytest.mark.slow
def test_a_finding_and_a_rollback_arrive_once_through_an_outage_and_a_kill(tmp_path: Path) -> None:
    silent = Receiver()
    port = silent.server_port
    silent.end()  # nobody listens there, at first
    story, receiver = Story(tmp_path / "little", port), None
    try:
        story.crew.start()
        story.crew.settle()
        assert len(story.events(VersionPromoted)) == 1
        story.drifts()
        found = [event for event in story.events(FindingMade) if isinstance(event, FindingMade)]
        assert sorted((event.subject, event.what) for event in found) == [("drift", "(score)"), ("drift", "distance")]
        story.turns(lambda: "did not answer" in (story.root / ".towpath" / "logs" / "outbox.log").read_text())
        receiver = Receiver(port, withhold="rollback")
        story.turns(lambda: len(receiver.got) == 3)
        assert receiver.kinds == ["promotion", "finding", "finding"]
        story.fails()
        story.turns(receiver.withheld.is_set)
        story.crew.kill()  # the loop has sent, and noted nothing
        story.crew.start()
        story.turns(lambda: len(receiver.got) == 5)
        story.turns(lambda: story.world.state().delivered["webhook-0"] == story.world.state().news)
        story.clock.set(story.clock.now() + DAY)
        story.crew.settle()
        *once, again = receiver.got
        assert once == story.told()
        assert (receiver.kinds[3:], once[-1]["data"]["by"]) == (["rollback", "rollback"], "loop")
        assert again == once[-1]  # the very same message, id and all: the receiver can tell
    finally:
        story.crew.stop()
        if receiver:
            receiver.end()
