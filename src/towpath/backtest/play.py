"""`towpath backtest`: what would the loop have done over the project's past?"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec.structs import replace

from towpath import wiring
from towpath.backtest import home, table, twins
from towpath.backtest.arrivals import Month, months
from towpath.backtest.crew import Crew
from towpath.backtest.drill import Plant, planted
from towpath.backtest.player import Kill, Past, Player, prepare
from towpath.backtest.table import MonthRow
from towpath.clock import ReplayClock, machine_s
from towpath.formats.package import unpack
from towpath.ledger import verify
from towpath.project import Project
from towpath.world import World

Tell = Callable[[str], None]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """``start`` is a month such as 2013-04; ``count`` of months, None for all; ``share`` of the rows that become requests."""

    start: str | None = None
    count: int | None = None
    share: float = 1.0
    plants: tuple[Plant, ...] = ()


class Footprint(msgspec.Struct, frozen=True, kw_only=True):
    """What it took: bytes on disk, proportional memory of all processes at its peak, how many there were, seconds."""

    disk_mb: float
    memory_mb: float
    processes: int
    seconds: float


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """What a backtest found."""

    home: str
    rows: list[MonthRow]
    kills: list[Kill]
    refused: list[str]
    ledger: str
    footprint: Footprint
    share: float


def play(project: Project, options: Options, environ: Mapping[str, str], tell: Tell) -> Played:
    """Replay the past, month after month, through the real loop, into a ledger of its own."""
    began = machine_s()
    tell("reading the past")
    past = home.past_of(project, options.share)
    first = home.first_month(past, options.start)
    last = max(month for parts in past.datasets.values() for month in parts)
    wanted = list(months(first, last))[: options.count]
    place = project.home / "backtests" / datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    shutil.rmtree(place, ignore_errors=True)
    clone = home.make(project, place, environ)
    prepare(clone, past, first, clone.root)
    clock_file = clone.home / "clock"
    clock = ReplayClock(clock_file, start=first.start)
    world = wiring.world(clone, clock_file)
    crew = Crew(clone.root, clock_file, {**home.alone(environ), "TOWPATH_HOME": str(clone.home)})
    gauge = Gauge(crew)
    player = Player(world, clock, crew, past, options.plants, _both(tell, gauge))
    crew.start()
    try:
        crew.settle()
        player.play(wanted)
    finally:
        crew.stop()
    tell("comparing with the first model, frozen, and with monthly retraining without gates")
    rows = _rows(world, past, options.plants, wanted)
    checked = verify(world.ledger.read(), world.anchors.all())
    said = f"{checked.head.position:,} records, head {checked.head.hash[:16]}" + (f", FAULTS: {checked.faults}" if checked.faults else "")
    disk = sum(file.stat().st_size for file in clone.home.rglob("*") if file.is_file()) / 1e6
    footprint = Footprint(disk_mb=disk, memory_mb=gauge.memory_mb, processes=gauge.processes, seconds=machine_s() - began)
    return Played(
        home=str(clone.root),
        rows=rows,
        kills=player.kills,
        refused=player.refused[:5],
        ledger=said,
        footprint=footprint,
        share=options.share,
    )


def _both(tell: Tell, gauge: Gauge) -> Tell:
    def say(text: str) -> None:
        gauge.read()
        tell(text)

    return say


def _rows(world: World, past: Past, plants: Sequence[Plant], wanted: Sequence[Month]) -> list[MonthRow]:
    project, state, records = world.project, world.state(), list(world.ledger.read())
    journal = world.journal.predictions().frame
    task = project.model.task
    frozen = twins.frozen(state, world.store)
    classes = unpack(world.store, state.registry.version(state.live.ever_live("production")[0]).digest).manifest.classes
    latest = frozen
    found = []
    for month in wanted:
        rows = past.rows.filter((past.rows["__time"] >= month.start) & (past.rows["__time"] < month.end))
        latest = twins.ungated(project, state, world.store, past, plants, month) or latest
        one = table.row(month, task, records, state, journal, rows, classes, _planted(plants, month))
        found.append(
            replace(one, frozen=table.answered_by(frozen, task, rows, classes), ungated=table.answered_by(latest, task, rows, classes))
        )
    return found


def _planted(plants: Sequence[Plant], month: Month) -> str:
    before = Month(month.year - (month.month == 1), month.month - 1 or 12)
    spoilt = [str(plant.spoil).rpartition(":")[2] for plant in planted(plants, str(before)) if plant.spoil]
    now = [f"{plant.fault:.0%} failures" for plant in planted(plants, str(month)) if plant.fault]
    killed = ["kill -9" for plant in planted(plants, str(month)) if plant.kill]
    return ", ".join(spoilt + now + killed)


class Gauge:
    """Memory and number of a crew's processes, read now and then; the largest is kept."""

    def __init__(self, crew: Crew) -> None:
        self._crew, self.memory_mb, self.processes = crew, 0.0, 0

    def read(self) -> None:
        """Look once."""
        members = self._crew.processes()
        self.memory_mb = max(self.memory_mb, sum(map(_proportional_mb, members)))
        self.processes = max(self.processes, len(members))


def _proportional_mb(process: int) -> float:
    """Memory of a process, where shared pages count in parts; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def cost_of_gates(rows: Sequence[MonthRow], metric: str) -> float | None:
    """Mean over months in which nothing was planted, and none the month before: figure without gates less figure as served."""
    clean = [row for before, row in zip([None, *rows], rows, strict=False) if not row.planted and not (before and before.planted)]
    pairs = [(row.ungated[metric], row.served[metric]) for row in clean[1:] if metric in row.served and metric in row.ungated]
    return sum(ungated - served for ungated, served in pairs) / len(pairs) if pairs else None
