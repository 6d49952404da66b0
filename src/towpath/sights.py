"""The loop's eyes: what a turn sees of the world, as one frozen value for deciding."""

from __future__ import annotations

import platform
from collections.abc import Callable
from datetime import datetime

import msgspec

from towpath.clock import boot_id
from towpath.journal.commit import commit
from towpath.locks import RUN, lock_of
from towpath.monitor.findings import Finding
from towpath.pipeline.runs import Here
from towpath.recent import Recent
from towpath.release import controller, tally
from towpath.release.controller import Outlook
from towpath.release.policy import Seen
from towpath.state import State
from towpath.triggers import Growth
from towpath.world import World


class Sights(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen. ``seen`` is of the release that is going on, ``outlook`` of the champion, where one is to begin.

    ``here`` was looked at where a run has no end: it may be lost.
    """

    here: Here | None = None
    head: str | None = None
    growths: tuple[Growth, ...] = ()
    findings: tuple[Finding, ...] = ()
    seen: Seen | None = None
    outlook: Outlook = Outlook()


class Eyes:
    """Looks at the journal, the data, the repository and the run's lock."""

    def __init__(
        self,
        world: World,
        *,
        data: Callable[[State], tuple[Growth, ...]],
        head: Callable[[], str | None],
        monitors: Callable[[State, Recent, datetime], list[Finding]],
        wrong_over: Callable[[State, int], float | None],
    ) -> None:
        self._world, self._data, self._head, self._monitors, self._wrong_over = world, data, head, monitors, wrong_over
        self._recent = Recent(world.journal)
        label, release = world.project.model.label, world.project.environment("production").release
        self._rules = tally.Rules(after=label.after, missing=label.missing, slow_s=release.slow.total_seconds())

    def refresh(self) -> int:
        """Move what workers have answered into the journal and read what is new; how many predictions."""
        commit(self._world.spool, self._world.journal)
        return self._recent.refresh()

    def release(self, state: State, now: datetime) -> tuple[Seen | None, Outlook]:
        """What the journal says of the release that is going on, and of the champion that it is to replace."""
        return self._seen(state, now), self._outlook(state, now)

    def look(self, state: State, now: datetime) -> Sights:
        """Everything that a turn decides by."""
        begins = controller.challenger(state.registry, state.live) is not None
        return Sights(
            here=self._here() if state.runs.going_on else None,
            head=self._head(),
            growths=self._data(state),
            findings=tuple(self._monitors(state, self._recent, now)),
            seen=self._seen(state, now),
            outlook=self._outlook(state, now) if begins else Outlook(),
        )

    def _here(self) -> Here:
        return Here(host=platform.node(), boot=boot_id(), lock_is_free=lock_of(self._world.project.home, RUN).is_free())

    def _seen(self, state: State, now: datetime) -> Seen | None:
        release = state.live.going_on(controller.PRODUCTION)
        if release is None or not release.stages:
            return None
        return tally.seen(release, controller.plan_of(release), self._recent.predictions, self._recent.labels, self._rules, now)

    def _outlook(self, state: State, now: datetime) -> Outlook:
        champion = state.live.champion(controller.PRODUCTION)
        if champion is None:
            return Outlook()
        wrong = self._wrong_over(state, champion)
        return tally.outlook(champion, self._recent.predictions, self._recent.labels, self._rules, wrong, now)
