"""Answer one request: understand it, assign it, score it, record it, and only then reply."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from typing import NamedTuple

from towpath.clock import Clock
from towpath.errors import Unavailable, UnknownName
from towpath.formats import Label
from towpath.journal.commit import LABELS, PREDICTIONS
from towpath.journal.port import Arm
from towpath.journal.spool import Spool
from towpath.serving import wire
from towpath.serving.answers import Answer
from towpath.serving.challenger import Challenger
from towpath.serving.metrics import Metrics
from towpath.serving.record import Asked, Scoring, label_lines, lines
from towpath.serving.routing import Champion, Routing
from towpath.serving.settings import ServerSettings


class Reply(NamedTuple):
    """A status and a JSON body."""

    status: int
    body: bytes


class _Copy(NamedTuple):
    asked: Asked
    routing: Routing
    challenger: Challenger
    answered_by: int


class Answerer:
    """One worker's. Belongs to its event loop; ``routing`` is asked for once a request."""

    def __init__(self, settings: ServerSettings, clock: Clock, routing: Callable[[], Routing], metrics: Metrics) -> None:
        self._settings, self._clock, self._routing, self._metrics = settings, clock, routing, metrics
        self._spool = Spool(settings.spool / PREDICTIONS)
        self._labels = Spool(settings.spool / LABELS)
        self._name, self._numbers = uuid.uuid4().hex[:16], count(1)
        self._copies: asyncio.Queue[_Copy] = asyncio.Queue(settings.backlog)
        self._copying = asyncio.get_running_loop().create_task(self._score_copies())
        self.waiting = 0  # shadow copies not scored yet
        self._counted_for = (0, 0)
        self.counts: Counter[tuple[str, str]] = Counter()  # by arm and outcome, since the release's stage was entered

    async def infer(self, body: bytes, version: int | None = None) -> Reply:
        """Answer ``/infer``; with ``version``, by that version and outside of any release.

        Raises:
            UsageError: the request is not understood (400).
            UnknownName: the version asked for does not serve here (404).
            Unavailable: nothing serves yet, or the answer could not be recorded (503).
        """
        routing = self._routing()
        champion = routing.champion
        if champion is None:
            raise Unavailable(
                f"no version serves {self._settings.environment} yet", mend="`towpath run` makes one, `towpath status` tells how far it is"
            )
        request = wire.infer_request(body)
        rows, columns = wire.columns(champion.model.schema, request.inputs)
        asked = Asked(request.id or f"{self._name}-{next(self._numbers):x}", self._clock.now(), rows, columns)
        if version is not None:
            return await self._pinned(asked, routing, champion, version)
        if routing.challenger is not None and routing.to_challenger(asked.id):
            return await self._by_challenger(asked, routing, champion, routing.challenger)
        return self._by_champion(asked, routing, champion)

    def label(self, body: bytes) -> Reply:
        """Take labels: they are in the spool when this returns. Raises UsageError (400) and Unavailable (503)."""
        labels = wire.label_request(body)
        if labels:
            self._labels.append(label_lines(labels, self._clock.now()))
        self._metrics.labels += len(labels)
        return Reply(200, b'{"accepted":%d}' % len(labels))

    async def settle(self, timeout_s: float) -> None:
        """Wait until no shadow copy waits, at most so long."""
        await asyncio.wait({asyncio.ensure_future(self._copies.join())}, timeout=timeout_s)

    def close(self) -> None:
        """Close both spools: whoever commits may remove them."""
        self._copying.cancel()
        self._spool.close()
        self._labels.close()

    def _by_champion(self, asked: Asked, routing: Routing, champion: Champion) -> Reply:
        told = champion.model.score(asked.columns)
        version = champion.served.version
        reply = self._reply(asked, version, told.answer, champion.model.classes, told.detail)
        self._record(asked, Scoring("champion", "answer", version, told, version, told.answer, routing.assignment), "champion")
        if routing.assignment.shadow and routing.challenger is not None and told.answer is not None:
            self._copy(_Copy(asked, routing, routing.challenger, version))
        return reply

    async def _by_challenger(self, asked: Asked, routing: Routing, champion: Champion, challenger: Challenger) -> Reply:
        told = await challenger.score(asked.id, asked.columns, routing.assignment.deadline_s)
        classes: Sequence[Label] = challenger.classes
        answer, answered_by, detail = told.answer, challenger.served.version, ""
        if answer is None:
            rescue = champion.model.score(asked.columns)
            answer, classes, answered_by, detail = rescue.answer, champion.model.classes, champion.served.version, rescue.detail
            self._metrics.scored(answered_by, "champion", rescue.outcome, rescue.seconds)
        reply = self._reply(asked, answered_by, answer, classes, detail)
        scoring = Scoring("challenger", "answer", challenger.served.version, told, answered_by, answer, routing.assignment)
        self._record(asked, scoring, "challenger")
        return reply

    async def _pinned(self, asked: Asked, routing: Routing, champion: Champion, version: int) -> Reply:
        challenger = routing.challenger
        arm: Arm
        classes: Sequence[Label]
        if version == champion.served.version:
            arm, told, classes = "champion", champion.model.score(asked.columns), champion.model.classes
        elif challenger is not None and version == challenger.served.version:
            arm, classes = "challenger", challenger.classes
            told = await challenger.score(asked.id, asked.columns, routing.assignment.deadline_s)
        else:
            raise UnknownName("version here", str(version), map(str, versions(routing)))
        reply = self._reply(asked, version, told.answer, classes, told.detail)
        self._record(asked, Scoring(arm, "answer", version, told, version, told.answer, None), arm)
        return reply

    def _reply(self, asked: Asked, version: int, answer: Answer | None, classes: Sequence[Label], detail: str) -> Reply:
        if answer is None:
            return Reply(500, wire.error(f"version {version} failed on this request: {detail}"))
        return Reply(200, wire.response(self._settings.model, version, asked.id, answer, classes))

    def _record(self, asked: Asked, scoring: Scoring, variant: str) -> None:
        self._spool.append(lines(self._settings.environment, asked, scoring))
        self._metrics.scored(scoring.version, variant, scoring.told.outcome, scoring.told.seconds)
        if scoring.under is not None:
            stage = (scoring.under.release, scoring.under.stage)
            if stage != self._counted_for:
                self._counted_for, self.counts = stage, Counter()
            self.counts[scoring.arm if scoring.role == "answer" else "shadow", scoring.told.outcome] += 1

    def _copy(self, copy: _Copy) -> None:
        try:
            self._copies.put_nowait(copy)  # scored by another task, which begins when this one has replied
        except asyncio.QueueFull:
            self._metrics.dropped += 1
        else:
            self.waiting += 1

    async def _score_copies(self) -> None:
        while True:
            copy = await self._copies.get()
            told = await copy.challenger.score(copy.asked.id, copy.asked.columns, copy.routing.assignment.deadline_s, shadow=True)
            scoring = Scoring(
                "challenger", "shadow", copy.challenger.served.version, told, copy.answered_by, told.answer, copy.routing.assignment
            )
            try:
                self._record(copy.asked, scoring, "shadow")
            except Unavailable:
                self._metrics.dropped += 1  # a copy may be lost, an answer never: that was recorded before
            self.waiting -= 1
            self._copies.task_done()


def versions(routing: Routing) -> list[int]:
    """The versions that answer here now."""
    both = (routing.champion, routing.challenger)
    return [one.served.version for one in both if one is not None]
