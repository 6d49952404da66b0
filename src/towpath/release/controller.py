"""From what is known to the next events of a release. Pure: the loop reads, calls this, appends, then acts."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import msgspec

from towpath import events as ev
from towpath.registry import Registry, Version
from towpath.release.evidence import Pairs
from towpath.release.forecast import expected_requests
from towpath.release.live import Live, Release
from towpath.release.policy import Action, Canary, Decision, Guard, Plan, Seen, Shadow, decide

PRODUCTION, STAGING = "production", "staging"


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What a new release needs to know of the champion: its ``cuts``, its event rate by guard (``means``), and requests a day."""

    cuts: dict[str, float] = {}
    means: dict[str, float] = {}
    requests_per_day: float = 0.0


def untried(registry: Registry, live: Live) -> Version | None:
    """The version to start and check in staging next: the newest that was never judged there."""
    waiting = [v for v in registry.versions.values() if live.verdicts_in(STAGING, v.digest) is None]
    newest = max(waiting, key=lambda version: version.number, default=None)
    return newest if newest and newest.number > (live.champion(STAGING) or 0) else None


def challenger(registry: Registry, live: Live) -> Version | None:
    """The version that asks to replace production's champion now, if one may.

    One that somebody asked for goes first; else the newest that is newer than the champion and that no release has
    ended for. Nothing that is quarantined, that did not stand in staging, or whose tree was dirty.
    """
    if live.going_on(PRODUCTION):
        return None
    champion = live.champion(PRODUCTION)
    asked = [a.version for a in live.asked if a.environment == PRODUCTION]
    tried = {release.version for release in live.releases.values()}
    newer = [n for n in registry.versions if n > (champion or 0) and n not in tried]
    for number in [*asked, *sorted(newer, reverse=True)[:1]]:
        version = registry.versions.get(number)
        if version and number != champion and not why_not(version, live):
            return version
    return None


def why_not(version: Version, live: Live) -> str:
    """Why a version may not go to production now; empty when it may."""
    if not version.candidate.passed:
        return "not every gate said pass for these bytes"
    if version.digest in live.quarantine:
        return f"its bytes are quarantined: {live.quarantine[version.digest]}"
    if version.candidate.dirty:
        return "it was made from a tree with uncommitted changes, which does not pass beyond staging"
    if not live.stands_in(STAGING, version.digest):
        return "it has not passed the checks of staging"
    return ""


def begin(version: Version, live: Live, plan: Plan, outlook: Outlook, by: str) -> list[ev.AnyEvent]:
    """The first events of a release: at once where nothing serves yet or no stage is planned, else the first stage."""
    champion = live.champion(PRODUCTION)
    if champion is None or not plan.stages:
        because = "nothing served before" if champion is None else "no stages are declared"
        return [
            ev.VersionPromoted(
                environment=PRODUCTION,
                version=version.number,
                digest=version.digest,
                previous=champion,
                release=None,
                by=by,
                because=f"{because}; it passed its gates and staging",
            )
        ]
    number = live.next_release
    started = ev.ReleaseStarted(
        release=number,
        environment=PRODUCTION,
        version=version.number,
        digest=version.digest,
        champion=champion,
        plan=msgspec.to_builtins(plan),
        cuts=outlook.cuts,
        salt=f"{version.digest[:16]}-{number}",
        because=f"version {version.number} passed its gates and staging; {expectation(plan, outlook)}",
    )
    return [started, entered(number, plan, 0, "the release begins", outlook.means)]


def expectation(plan: Plan, outlook: Outlook) -> str:
    """How long a release will take when the arms are equal, at the present request rate, in words."""
    requests = expected_requests(plan, outlook.means).requests
    if not math.isfinite(requests):
        return "equal arms would never be told apart from harm at these margins: widen the guards, or shadow more"
    words = f"about {requests:,.0f} requests if it is as good"
    days = requests / outlook.requests_per_day if outlook.requests_per_day else math.inf
    return f"{words}, {days:.1f} days at the present rate" if math.isfinite(days) else words


def entered(
    release: int, plan: Plan, index: int, because: str, means: dict[str, float], evidence: dict[str, float] | None = None
) -> ev.StageEntered:
    """The event of entering a stage; the champion's event rates are frozen into it."""
    stage = plan.stages[index]
    share = stage.share if isinstance(stage, Canary) else 0.0
    return ev.StageEntered(release=release, stage=index, share=share, because=because, means=means, evidence=evidence or {})


def _rates(seen: Seen) -> dict[str, float]:
    """The champion's event rate by guard, over all stages of the release so far."""
    rates = {}
    for guard, strata in seen.guards.items():
        pairs = seen.pairs.get(guard, Pairs())
        requests = pairs.requests + sum(counts.champion for counts in strata)
        events = pairs.champion_only + pairs.both + sum(counts.champion_events for counts in strata)
        rates[guard] = events / requests if requests else 0.0
    return rates


def proceed(release: Release, live: Live, seen: Seen, now: datetime) -> list[ev.AnyEvent]:
    """What the evidence says of a release that is going on: nothing, a wider stage, a promotion or a way back."""
    plan = plan_of(release)
    decision = decide(plan, seen, now)
    match decision.action:
        case Action.WIDEN:
            return [entered(release.number, plan, seen.stage_index + 1, decision.because, _rates(seen), decision.numbers)]
        case Action.PROMOTE:
            return [_promoted(release, decision)]
        case Action.ROLL_BACK:
            return [rolled_back(release, live, decision.because, by="loop", evidence=decision.numbers)]
        case Action.INCONCLUSIVE:
            return [ev.ReleaseAbandoned(release=release.number, because=decision.because, evidence=decision.numbers)]
        case Action.HOLD:
            return []


def _promoted(release: Release, decision: Decision) -> ev.VersionPromoted:
    return ev.VersionPromoted(
        environment=release.environment,
        version=release.version,
        digest=release.digest,
        previous=release.champion,
        release=release.number,
        by="loop",
        because=decision.because,
        evidence=decision.numbers,
    )


def rolled_back(release: Release, live: Live, because: str, *, by: str, evidence: dict[str, float] | None = None) -> ev.VersionRolledBack:
    """The event that ends a release by taking the challenger back."""
    return ev.VersionRolledBack(
        environment=release.environment,
        version=release.version,
        digest=release.digest,
        to=live.champion(release.environment),
        release=release.number,
        by=by,
        because=because,
        evidence=evidence or {},
    )


def plan_of(release: Release) -> Plan:
    """The plan that was frozen when the release started."""
    return msgspec.convert(release.plan, Plan)


def plan_from(declared: Any) -> Plan:
    """The plan of a project's environment (a ``project.ReleasePlan``)."""
    shadow = (Shadow(requests=declared.shadow),) if declared.shadow else ()
    guards = tuple(Guard(name=name, ratio=ratio) for name, ratio in declared.guards.items())
    return Plan(stages=(*shadow, *(Canary(share=share) for share in declared.canary)), guards=guards, timeout=declared.timeout)
