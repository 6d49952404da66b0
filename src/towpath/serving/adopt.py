"""Make a worker's routing what the source says: load, warm, check golden rows, and only then switch."""

from __future__ import annotations

import asyncio
import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from msgspec.structs import replace

from towpath.clock import machine_s
from towpath.errors import TowpathError
from towpath.serving.challenger import Challenger
from towpath.serving.frames import Load
from towpath.serving.model import loaded, objects
from towpath.serving.port import Assignment, Served, Source
from towpath.serving.routing import Champion, Routing
from towpath.serving.settings import ServerSettings
from towpath.store import Store

SOURCE_S = 5.0  # so long a look at the source is waited for; it goes on in its thread
RETRY_S = 10.0  # until a version that could not be loaded is tried again


class Adopter:
    """Owns a worker's ``routing``. All but the loading happens in the event loop, between two requests."""

    def __init__(self, settings: ServerSettings, source: Source, store: Store) -> None:
        self.routing = Routing(Assignment(environment=settings.environment, position=0))
        self._settings, self._source, self._store = settings, source, store
        self._looks = ThreadPoolExecutor(1, "look")
        self._loads = ThreadPoolExecutor(1, "load")
        self._look: asyncio.Future[Assignment] | None = None
        self._nudged = asyncio.Event()
        self._reached = machine_s()  # when the source last answered
        self._tried = 0.0
        self._file = settings.cache / f"assignment-{settings.environment}.json"

    async def begin(self) -> None:
        """The first turn; from the last known assignment where the source is out of reach."""
        await self.turn()
        if self.routing.assignment.position == 0 and "source" in self.routing.notes and (known := _last_known(self._file)):
            await self._adopt(known)

    async def run(self) -> None:
        """Turn after turn, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._nudged.wait(), self._settings.poll_s)
            self._nudged.clear()
            await self.turn()

    async def turn(self) -> None:
        """Look at the source once and adopt what it says."""
        told = await self._ask()
        if told is None:
            self._hold()
        elif replace(told, position=0) != replace(self.routing.assignment, position=0) or self._is_due():
            await self._adopt(told)
        elif told.position != self.routing.assignment.position:
            self.routing = Routing(told, self.routing.champion, self.routing.challenger, self.routing.notes)

    async def reached(self, position: int, timeout_s: float) -> bool:
        """Wait until that position of the ledger is adopted, the challenger loaded and warm; whether it was in time."""
        deadline = machine_s() + timeout_s
        while self.routing.assignment.position < position:
            if machine_s() > deadline:
                return False
            self._nudged.set()
            await asyncio.sleep(0.01)
        return True

    def stop(self) -> None:
        """Let go of the threads and of the challenger's process."""
        if self.routing.challenger is not None:
            self.routing.challenger.stop()
        self._looks.shutdown(wait=False, cancel_futures=True)
        self._loads.shutdown(wait=False, cancel_futures=True)

    async def _ask(self) -> Assignment | None:
        self._look = self._look or asyncio.get_running_loop().run_in_executor(self._looks, self._source)
        try:
            told = await asyncio.wait_for(asyncio.shield(self._look), SOURCE_S)
        except TimeoutError:
            self._note("source", f"the ledger has not answered for {machine_s() - self._reached:.0f} s; the last known assignment serves")
            return None
        except Exception as fault:  # the border to whatever the source is: no fault of its ends the serving
            self._look = None
            self._note("source", f"the ledger is out of reach, the last known assignment serves: {fault}")
            return None
        self._look, self._reached = None, machine_s()
        self._note("source", "")
        return told

    def _hold(self) -> None:
        """Nobody steers: the share is frozen, then falls to 0."""
        now = self.routing.assignment
        if (now.share or now.shadow) and machine_s() - self._reached > self._settings.hold_s:
            self.routing = Routing(
                replace(now, share=0.0, shadow=False), self.routing.champion, self.routing.challenger, self.routing.notes
            )
            self._note("share", f"the ledger was out of reach for {self._settings.hold_s:g} s: the challenger's share fell to 0")

    def _is_due(self) -> bool:
        challenger = self.routing.challenger
        lacking = "champion" in self.routing.notes or (challenger is not None and not challenger.started)
        return lacking and machine_s() - self._tried > RETRY_S

    async def _adopt(self, told: Assignment) -> None:
        before, self._tried = self.routing, machine_s()
        notes = {subject: text for subject, text in before.notes.items() if subject == "source"}
        champion, trouble = await self._champion(told.champion)
        if trouble:
            notes["champion"] = trouble
        challenger = await self._challenger(told.challenger)
        if challenger is not None and challenger.trouble:
            notes["challenger"] = f"version {challenger.served.version}: {challenger.trouble}"
        self.routing = Routing(told, champion, challenger, notes)
        if before.challenger is not None and before.challenger is not challenger:
            before.challenger.stop()
        try:
            await asyncio.get_running_loop().run_in_executor(self._loads, _keep, self._file, told)
        except OSError as fault:
            self._note("cache", f"the assignment could not be kept for a start without the ledger: {fault}")

    async def _champion(self, served: Served | None) -> tuple[Champion | None, str]:
        """What serves from now on, and why it is not what it should be: a version that fails its golden rows never serves."""
        before = self.routing.champion
        if served is None or (before is not None and before.served == served):
            return (before if served is not None else None), ""
        try:
            model = await asyncio.get_running_loop().run_in_executor(self._loads, loaded, self._store, served.digest)
        except Exception as fault:  # the border to the package's own `features` code, which may raise anything
            still = f"version {before.served.version} goes on serving" if before else "nothing serves"
            return before, f"version {served.version} was not adopted, {still}: {fault}"
        return Champion(served, model), ""

    async def _challenger(self, served: Served | None) -> Challenger | None:
        before = self.routing.challenger
        if served is None or (before is not None and before.served == served and before.started):
            return before if served is not None else None
        load = Load(digest=served.digest, objects=[], fault=self._settings.fault)
        challenger = Challenger(served, load)
        try:
            parts = await asyncio.get_running_loop().run_in_executor(self._loads, objects, self._store, served.digest)
        except (TowpathError, OSError) as fault:
            challenger.trouble = str(fault)
            return challenger
        challenger = Challenger(served, replace(load, objects=parts))
        await challenger.start()
        return challenger

    def _note(self, subject: str, text: str) -> None:
        if self.routing.notes.get(subject, "") != text:
            self.routing = self.routing.with_note(subject, text)


def _keep(file: Path, assignment: Assignment) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # workers share the folder: each writes its own file, and the rename is whole
    temporary = file.with_suffix(f".{os.getpid()}.new")
    temporary.write_bytes(msgspec.json.encode(assignment))
    temporary.replace(file)


def _last_known(file: Path) -> Assignment | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Assignment)
    except (OSError, msgspec.DecodeError):
        return None
