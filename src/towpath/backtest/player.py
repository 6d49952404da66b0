"""The replayer: moves the clock over the project's past, sends its rows as requests, tells labels when they were due, asks for turns.

In lock-step: while a run or a check is going on the clock stands still. Months are calendar months in UTC; the file of a
month arrives when the month is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from towpath.backtest.arrivals import Month, arrive
from towpath.backtest.crew import Crew
from towpath.backtest.drill import Plant, planted, spoiler
from towpath.clock import ReplayClock
from towpath.project import Dataset, Project
from towpath.release.controller import PRODUCTION
from towpath.serving.requests import bodies
from towpath.state import State
from towpath.world import World

STEP = timedelta(hours=6)  # of the project's time between two turns while a release is going on
CALM = timedelta(days=1)  # ... and while none is
BATCH = 64  # requests between two moves of the clock


class Past(msgspec.Struct, frozen=True):
    """What the project knows of its past: its datasets by month, and its rows with times, labels and ids."""

    datasets: dict[str, dict[Month, pl.DataFrame]]
    rows: pl.DataFrame  # sorted by time; columns __id, __time, __label, then what a request carries


class Delivery(msgspec.Struct, frozen=True):
    """A file that arrives at a moment: a month of a dataset, spoilt or whole."""

    at: datetime
    dataset: str
    month: Month
    frame: pl.DataFrame | None = None


class Kill(msgspec.Struct, frozen=True, kw_only=True):
    """What kill -9 in mid-canary did: the evidence before and after."""

    month: str
    release: int
    before: dict[str, Any]
    after: dict[str, Any]


class Player:
    """Plays months of the past. Everything it does to the project goes through files, HTTP and turns."""

    def __init__(
        self, world: World, clock: ReplayClock, crew: Crew, past: Past, plants: Sequence[Plant], tell: Callable[[str], None]
    ) -> None:
        self._world, self._clock, self._crew, self._past, self._plants, self._tell = world, clock, crew, past, plants, tell
        self._state = State()
        self._deliveries: list[Delivery] = []
        self._label_queue = past.rows.select("__id", "__time", "__label").filter(pl.col("__label").is_not_null())
        self._labels_told = 0
        self.kills: list[Kill] = []
        self.refused: list[str] = []

    def play(self, months: Iterable[Month]) -> None:
        """Month after month; at the start of each the month before arrives. What lay before the first is there already."""
        for number, month in enumerate(months):
            self._begin(month, arrives=number > 0)
            moment = month.start
            while moment < month.end:
                step = STEP if self._state.live.going_on(PRODUCTION) else CALM
                until = min(moment + step, month.end)
                self._step(month, moment, until)
                moment = until
        self._crew.settle()

    def _begin(self, month: Month, *, arrives: bool) -> None:
        before = _before(month)
        spoilt = {plant.data: plant for plant in planted(self._plants, str(before)) if plant.spoil}
        for name, parts in self._past.datasets.items():
            if before not in parts or not arrives:
                continue
            plant = spoilt.get(name)
            if plant:
                frame = spoiler(self._world.project.root, plant)(parts[before])
                self._deliveries.append(Delivery(month.start, name, before, frame))
                self._deliveries.append(Delivery(month.start + plant.mended, name, before))
            else:
                self._deliveries.append(Delivery(month.start, name, before))
        self._fault(month)

    def _fault(self, month: Month) -> None:
        """A fault is planted by starting everything anew with it, and taken away in the same manner."""
        now = [plant.fault for plant in planted(self._plants, str(month)) if plant.fault]
        was = [plant.fault for plant in planted(self._plants, str(_before(month))) if plant.fault]
        if now or was:
            self._crew.stop()
            self._crew.start(*(["--fault", f"{now[0]:.4f}"] if now else []))

    def _step(self, month: Month, start: datetime, end: datetime) -> None:
        self._clock.set(start)
        self._deliver(start)
        self._send(self._past.rows.filter((pl.col("__time") >= start) & (pl.col("__time") < end)))
        self._clock.set(end)
        self._label(end)
        if self._state.live.going_on(PRODUCTION):
            self._crew.client.get("/towpath/status?settled=1")  # until the last shadow copy has been scored
        self._crew.settle()
        self._state = self._world.state(self._state)
        self._kill(month)

    def _deliver(self, now: datetime) -> None:
        due = [delivery for delivery in self._deliveries if delivery.at <= now]
        self._deliveries = [delivery for delivery in self._deliveries if delivery.at > now]
        for delivery in due:
            dataset: Dataset = self._world.project.data[delivery.dataset]
            parts = self._past.datasets[delivery.dataset]
            arrive(self._world.project.root, dataset, parts, delivery.month, delivery.frame)
            spoilt = " (spoilt)" if delivery.frame is not None else ""
            self._tell(f"{now:%d %b}  {delivery.dataset} of {delivery.month} arrives{spoilt}")
        if due:
            self._crew.settle()
            self._state = self._world.state(self._state)

    def _send(self, rows: pl.DataFrame) -> None:
        """Send rows as requests; those whose connection broke are sent again, as a client would."""
        path = f"/v2/models/{self._world.project.name}/infer"
        for chunk in rows.iter_slices(BATCH):
            self._clock.set(max(self._clock.now(), chunk["__time"][0]))
            ids = chunk["__id"].to_list()
            messages = list(bodies(chunk.drop("__id", "__time", "__label"), ids))
            answers = list(self._crew.client.post_all(path, messages))
            broken = [message for message, answer in zip(messages, answers, strict=True) if answer is None]
            answers += list(self._crew.client.post_all(path, broken))
            self.refused += [answer[1].decode(errors="replace") for answer in answers if answer and answer[0] != 200]

    def _label(self, now: datetime) -> None:
        due = self._label_queue[self._labels_told :].filter(pl.col("__time") <= now - self._world.project.model.label.after)
        self._labels_told += due.height
        for chunk in due.iter_slices(2000):
            labels = [{"id": id, "label": label} for id, label in zip(chunk["__id"], chunk["__label"], strict=True)]
            status, body = self._crew.client.post("/labels", msgspec.json.encode(labels))
            if status != 200:
                self.refused.append(body.decode(errors="replace"))

    def _kill(self, month: Month) -> None:
        """kill -9 of everything once a canary, of that month or the next that has one, has had so many challenger requests."""
        release = self._state.live.going_on(PRODUCTION)
        wanted = [plant.kill for plant in self._plants if plant.kill is not None and plant.month <= str(month)]
        if not wanted or self.kills or release is None or not release.stages or not release.stages[-1].share:
            return
        before = self._evidence()
        if before["challenger"] < wanted[0]:
            return
        self._crew.kill()
        self._crew.start()
        self._crew.settle()
        self._crew.follow(self._world.state().head.position)
        self.kills.append(Kill(month=str(month), release=release.number, before=before, after=self._evidence()))
        self._tell(f"{self._clock.now():%d %b}  kill -9 of everything in release {release.number}; it goes on where it was")

    def _evidence(self) -> dict[str, Any]:
        """Counts of the release that is going on, summed anew from the journal."""
        release = self._world.state().live.going_on(PRODUCTION)
        frame = self._world.journal.predictions().frame
        rows = frame.filter((pl.col("release") == (release.number if release else 0)) & (pl.col("role") == "answer"))
        challenger = rows.filter(pl.col("arm") == "challenger")
        return {
            "challenger": challenger.height,
            "challenger_errors": challenger.filter(pl.col("outcome") != "ok").height,
            "champion": rows.height - challenger.height,
        }


def _before(month: Month) -> Month:
    return Month(month.year - (month.month == 1), month.month - 1 or 12)


def prepare(project: Project, past: Past, first: Month, root: Path) -> None:
    """Lay out what had arrived before ``first``."""
    for name, parts in past.datasets.items():
        for month in (month for month in parts if month < first):
            arrive(root, project.data[name], parts, month)


def environ_of(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of the children: one thread a process, as two processes share the work."""
    return {**environ, "OMP_NUM_THREADS": environ.get("OMP_NUM_THREADS", "2")}
