"""What is told of steps while they are made: few appends, nothing lost to a ledger that does not answer, a lease that is renewed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from towpath import events as ev
from towpath import kept
from towpath.digest import Digest
from towpath.errors import Unavailable
from towpath.ledger import Entry, Head, Ledger
from towpath.pipeline.graph import Step
from towpath.pipeline.values import Value
from towpath.pipeline.watching import Executed, Progress
from towpath.project_file import load
from towpath.run import notes
from towpath.run.bench import Bench
from towpath.run.notes import Notes

A = Digest("a" * 64)
SOON = Progress(done=0, steps=2, busy={"rows": 0.0})


@dataclass
class Counted:
    """A ledger that counts appends; one that is ``down`` answers none."""

    ledger: Ledger
    appends: int = 0
    down: bool = False

    def read(self, start: int = 0):  # type: ignore[no-untyped-def]
        return self.ledger.read(start)

    def append(self, entries: Sequence[Entry], expected: int | None = None) -> Head:
        if self.down:
            raise Unavailable("the ledger does not answer", mend="wait")
        self.appends += 1
        return self.ledger.append(entries, expected=expected)


class Scene:
    """A run, its notes, and a clock of the machine that only the test moves."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.kept, self.told, self.shown = 100.0, 0, list[str](), list[str]()
        monkeypatch.setattr(notes, "machine_s", lambda: self.now)
        (home / "towpath.yaml").write_text("name: a\nsteps: {rows: {cmd: touch rows, out: rows}}\n")
        project = load(home, {})
        records = kept.records(project)
        self.ledger = Counted(records.ledger)
        self.records = replace(records, ledger=self.ledger)
        self.records.tell(ev.RunStarted(run=1, trigger="command", cause="c", commit="c", host="h", boot="b", pid=1))
        self.ledger.appends = 0
        bench = Bench(self.records, 1, project, home, {}, self.told.append, self.shown.append)
        self.notes = Notes(bench, lambda fingerprint: None)
        self.notes.began([Step.of("raw", []), Step.of("rows", ["raw"])])

    def keep(self) -> None:
        self.kept += 1

    def after(self, seconds: float) -> None:
        self.now += seconds
        self.notes.passed(SOON, self.keep)

    def ended(self, step: str) -> None:
        self.notes.ended(Executed(step, A, False, 1.0, Value("json", A, A)))

    def events(self) -> list[str]:
        return [type(record.entry.event).__name__ for record in self.records.ledger.read()][1:]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(tmp_path, monkeypatch)


def test_a_quick_run_tells_its_steps_in_one_append(scene: Scene) -> None:
    for _ in range(10):
        scene.after(0.1)
    scene.ended("raw")
    scene.ended("rows")
    scene.notes.stopped(None)
    assert scene.events() == ["StepsPlanned", "StepExecuted", "StepExecuted"]
    assert scene.ledger.appends == 1
    assert scene.kept == 0


def test_what_lasts_is_told_as_it_goes_on_once_it_is_durable(scene: Scene) -> None:
    scene.after(notes.TOLD_EVERY_S)
    assert scene.events() == ["StepsPlanned"]
    scene.ended("raw")
    scene.after(0.5)
    assert (scene.kept, len(scene.events())) == (1, 1)
    scene.after(notes.TOLD_EVERY_S)
    assert (scene.kept, scene.events()) == (2, ["StepsPlanned", "StepExecuted"])
    scene.after(notes.TOLD_EVERY_S)
    assert scene.ledger.appends == 2
    assert scene.records.state().runs.all[1].planned == {"raw": (), "rows": ("raw",)}


def test_a_ledger_that_does_not_answer_is_told_later(scene: Scene) -> None:
    scene.ended("raw")
    scene.ledger.down = True
    scene.after(notes.TOLD_EVERY_S)
    scene.after(notes.RENEWED_EVERY_S)
    scene.ledger.down = False
    assert scene.events() == []
    scene.after(1.0)
    assert scene.events() == ["StepsPlanned", "StepExecuted"]


def test_a_step_that_lasts_for_hours_renews_the_lease(scene: Scene) -> None:
    scene.after(notes.TOLD_EVERY_S)
    for _ in range(12):
        scene.after(notes.RENEWED_EVERY_S / 2)
    assert scene.events() == ["StepsPlanned", *["RunContinued"] * 6]
    last = [*scene.records.ledger.read()][-1]
    assert scene.records.state().runs.all[1].heard == last.entry.at


def test_a_step_that_is_tried_again_is_told_with_its_reason(scene: Scene) -> None:
    scene.notes.retried("rows", "step 'rows' raised ConnectionError: cut", 0.5)
    scene.notes.stopped(KeyboardInterrupt())
    assert scene.told == ["step rows is tried again in 0.5 s: step 'rows' raised ConnectionError: cut"]
    assert scene.events() == ["StepsPlanned", "StepRetried"]


def test_how_far_it_is_stands_there_until_it_ends(scene: Scene) -> None:
    scene.after(0.1)
    scene.notes.stopped(None)
    assert scene.shown == ["0 of 2 steps", ""]
    busy = {f"s{n}": float(n) for n in range(7)}
    assert notes.in_words(Progress(done=1234, steps=2000, busy=busy)) == "1,234 of 2,000 steps; s6 6 s, s5 5 s, s4 4 s and 3 more"
