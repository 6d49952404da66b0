"""What a person may do to a release: ask, take back, pause, resume. Each is a decision, appended on condition."""

from __future__ import annotations

from typing import Literal

import msgspec

from towpath import events as ev
from towpath.digest import Digest
from towpath.errors import Refused, UsageError
from towpath.release import controller
from towpath.release.live import Release
from towpath.release.policy import Decision
from towpath.state import State
from towpath.world import World

PRODUCTION = controller.PRODUCTION
Scope = Literal["predict", "labels", "admin"]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How things stand in production: what serves, the release that is going on, what the evidence says of it now."""

    champion: int | None
    release: Release | None = None
    decision: Decision | None = None
    requests_left: float | None = None
    days_left: float | None = None


def deploy(world: World, number: int, by: str) -> ev.AnyEvent:
    """Ask for a version. Raises Refused, with the reason, when it may not go to production."""

    def choose(state: State) -> list[ev.AnyEvent]:
        version = state.registry.version(number)
        why = controller.why_not(version, state.live)
        if why:
            raise Refused(
                f"version {number} may not go to production: {why}", mend="there is no other door: let the loop bring a version that may"
            )
        if state.live.champion(PRODUCTION) == number:
            raise UsageError(f"version {number} serves production already", mend="nothing is to be done")
        return [ev.DeploymentAsked(environment=PRODUCTION, version=number, by=by)]

    return world.decide(choose)[1][0]


def rollback(world: World, by: str, because: str, *, quarantine: bool) -> ev.AnyEvent:
    """Take back the challenger of the release that is going on; without one, the champion: what served before it serves again."""

    def choose(state: State) -> list[ev.AnyEvent]:
        release = state.live.going_on(PRODUCTION)
        if release:
            taken, to, number = state.registry.version(release.version), state.live.champion(PRODUCTION), release.number
            return [_back(taken.number, taken.digest, to, number, by, because, quarantine)]
        champion = state.live.champion(PRODUCTION)
        before = [
            v for v in state.live.ever_live(PRODUCTION) if v != champion and state.registry.version(v).digest not in state.live.quarantine
        ]
        if champion is None or not before:
            raise UsageError("there is nothing to go back to: no other version has served", mend="`towpath status` tells what serves")
        return [_back(champion, state.registry.version(champion).digest, _last_served(state, before), None, by, because, quarantine)]

    return world.decide(choose)[1][0]


def _last_served(state: State, before: list[int]) -> int:
    tenures = (t.version for t in reversed(state.live.tenures) if t.environment == PRODUCTION)
    return next(version for version in tenures if version in before)


def _back(version: int, digest: str, to: int | None, release: int | None, by: str, because: str, quarantine: bool) -> ev.VersionRolledBack:
    return ev.VersionRolledBack(
        environment=PRODUCTION,
        version=version,
        digest=Digest(digest),
        to=to,
        release=release,
        by=by,
        because=because,
        quarantine=quarantine,
    )


def pause(world: World, by: str, because: str) -> ev.AnyEvent:
    """Hold the release that is going on."""

    def choose(state: State) -> list[ev.AnyEvent]:
        release = _going_on(state)
        if release.paused:
            raise UsageError(f"release {release.number} is paused already ({release.paused})", mend="`towpath resume` lets it go on")
        return [ev.ReleasePaused(release=release.number, by=by, because=because)]

    return world.decide(choose)[1][0]


def resume(world: World, by: str) -> ev.AnyEvent:
    """Let it go on."""

    def choose(state: State) -> list[ev.AnyEvent]:
        release = _going_on(state)
        if not release.paused:
            raise UsageError(f"release {release.number} is not paused", mend="nothing is to be done")
        return [ev.ReleaseResumed(release=release.number, by=by)]

    return world.decide(choose)[1][0]


def _going_on(state: State) -> Release:
    release = state.live.going_on(PRODUCTION)
    if release is None:
        raise UsageError("no release is going on", mend="`towpath status` tells what serves; `towpath deploy VERSION` asks for a release")
    return release


def in_words(standing: Standing) -> str:
    """A few lines for people."""
    serves = f"production: version {standing.champion}" if standing.champion else "production: nothing serves yet"
    release = standing.release
    if release is None:
        return f"{serves}\nno release is going on"
    stage = release.stage
    place = "not begun" if stage is None else "shadow" if not stage.share else f"canary at {stage.share:.0%}"
    lines = [
        serves,
        f"release {release.number}: version {release.version}, {place}{f', paused by {release.paused}' if release.paused else ''}",
    ]
    if standing.decision:
        lines.append(f"  {standing.decision.action.value}: {standing.decision.because}")
    if standing.requests_left is not None:
        days = f", about {standing.days_left:.1f} days at the present rate" if standing.days_left is not None else ""
        lines.append(f"  equal arms would take about {standing.requests_left:,.0f} requests in all{days}")
    return "\n".join(lines)


def tokens(data: bytes) -> dict[str, tuple[Scope, ...]]:
    """Tokens and their scopes, from JSON. Raises UsageError."""
    try:
        return msgspec.json.decode(data, type=dict[str, tuple[Scope, ...]])
    except (msgspec.DecodeError, msgspec.ValidationError) as fault:
        raise UsageError(
            f"the tokens cannot be used: {fault}", mend='write {"TOKEN": ["predict", "labels", "admin"]} with the scopes it is to have'
        ) from None
