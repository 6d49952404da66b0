"""One turn: read the ledger, look at the world, decide, append, then act until the world matches.

Deciding is a pure function of (state, sights, project, now). Acting never waits and is idempotent: what a turn that died
between appending and acting left undone, the next one does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from towpath import events as ev
from towpath.errors import Conflict
from towpath.hands import Hands
from towpath.monitor import findings
from towpath.pipeline.runs import lost
from towpath.project import Project
from towpath.release import controller
from towpath.release import decide as judge_release
from towpath.sights import Eyes, Sights
from towpath.state import State
from towpath.triggers import judge, unanswered, wishes
from towpath.triggers.judge import Alarm
from towpath.triggers.judge import Sights as TriggerSights
from towpath.world import World

TRIES = 5


class Turned(msgspec.Struct, frozen=True, kw_only=True):
    """What a turn did. ``busy`` names the work that is still going on; ``head`` is the ledger's position after it."""

    head: int
    events: tuple[ev.AnyEvent, ...] = ()
    busy: tuple[str, ...] = ()
    routed: bool = False  # whether what is served, or to whom, has changed
    answered: int = 0  # predictions that came into the journal


class Loop:
    """The loop of one project. It keeps nothing that it could not fold from the ledger and the journal again."""

    def __init__(self, world: World, eyes: Eyes, hands: Hands) -> None:
        self._world, self._eyes, self._hands = world, eyes, hands
        self._state, self._sights = State(), Sights()

    def turn(self) -> Turned:
        """One turn. Of two controllers that decide at once the slower one's turn begins anew."""
        answered = self._eyes.refresh()
        events = self._decided()
        self._hands.act(self._state)
        self._world.anchors.add(self._state.head)
        return Turned(
            head=self._state.head.position,
            events=tuple(events),
            busy=self._hands.busy(),
            routed=any(isinstance(event, _ROUTING) for event in events),
            answered=answered,
        )

    @property
    def state(self) -> State:
        """The state after the last turn."""
        return self._state

    @property
    def evidence(self) -> dict[str, float]:
        """What the last turn's counts say of the release that is going on, as a decision would quote it."""
        release = self._state.live.going_on(controller.PRODUCTION)
        if release is None or self._sights.seen is None:
            return {}
        return judge_release(controller.plan_of(release), self._sights.seen, self._world.clock.now()).numbers

    def _decided(self) -> Sequence[ev.AnyEvent]:
        for _ in range(TRIES):
            self._state = self._world.state(self._state)
            now = self._world.clock.now()
            self._sights = self._eyes.look(self._state, now)
            events = decide(self._state, self._sights, self._world.project, now)
            try:
                if events:
                    self._world.tell(*events, expected=self._state.head.position)
            except Conflict:
                continue
            self._state = self._world.state(self._state)
            return events
        return ()


_ROUTING = (ev.StageEntered, ev.VersionPromoted, ev.VersionRolledBack, ev.ReleaseAbandoned)


def decide(state: State, sights: Sights, project: Project, now: datetime) -> list[ev.AnyEvent]:
    """What follows from the state and what was seen: runs given up, findings, runs asked for, releases begun and led on."""
    events: list[ev.AnyEvent] = []
    run = state.runs.going_on
    gone = lost(run, sights.here, now) if run and sights.here else ""
    if run and gone:
        events.append(ev.RunLost(run=run.number, because=gone))
    events += findings.news(state.findings, list(sights.findings))
    events += _fired(state, sights, project, now)
    return events + _released(state, sights, project, now)


def _fired(state: State, sights: Sights, project: Project, now: datetime) -> list[ev.AnyEvent]:
    champion = state.live.champion(controller.PRODUCTION)
    found = [
        (Alarm(finding=event.finding, subject=event.subject, because=event.because), at)
        for event, at in zip(state.findings.made, state.findings.times, strict=True)
        if event.version == champion
    ]
    seen = TriggerSights(head=sights.head, growths=sights.growths, alarms=tuple(unanswered(found, state.runs)))
    return list(judge(wishes(seen, project.retrain.when, state.runs), state.firings, state.runs, project.retrain, now))


def _released(state: State, sights: Sights, project: Project, now: datetime) -> list[ev.AnyEvent]:
    release = state.live.going_on(controller.PRODUCTION)
    if release:
        return controller.proceed(release, state.live, sights.seen, now) if sights.seen else []
    version = controller.challenger(state.registry, state.live)
    if version is None:
        return []
    plan = controller.plan_from(project.environment("production").release)
    return controller.begin(version, state.live, plan, sights.outlook, by="loop")
