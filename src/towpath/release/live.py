"""What serves where, and the release that is going on: folded from the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from towpath import events as ev
from towpath.digest import Digest
from towpath.ledger import Entry
from towpath.verdict import Answer, Verdict, overall


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A stage of a release, from the moment it was entered."""

    index: int
    share: float
    entered: datetime
    because: str
    means: dict[str, float] = {}  # the champion's event rate by guard, frozen when the stage was entered


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """A challenger's way into one environment. ``ended`` is None while it is going on."""

    number: int
    environment: str
    version: int
    digest: Digest
    champion: int | None
    plan: dict[str, Any]
    cuts: dict[str, float]
    salt: str
    started: datetime
    because: str
    stages: tuple[Stage, ...] = ()
    paused: str = ""
    ended: datetime | None = None
    outcome: str = ""
    evidence: dict[str, float] = {}

    @property
    def stage(self) -> Stage | None:
        """The stage it is in; None before it entered the first."""
        return self.stages[-1] if self.stages else None


class Tenure(msgspec.Struct, frozen=True, kw_only=True):
    """From ``at`` on, ``version`` (or nothing) served ``environment``."""

    at: datetime
    environment: str
    version: int | None
    because: str


class Live(msgspec.Struct, frozen=True):
    """Champions, releases, quarantine and what was judged in an environment."""

    tenures: tuple[Tenure, ...] = ()
    releases: dict[int, Release] = {}
    quarantine: dict[Digest, str] = {}
    judged: dict[str, tuple[Verdict, ...]] = {}
    asked: tuple[ev.DeploymentAsked, ...] = ()

    def champion(self, environment: str, at: datetime | None = None) -> int | None:
        """The version that serves an environment, now or at a time."""
        past = (t for t in reversed(self.tenures) if t.environment == environment and (at is None or t.at <= at))
        return next((tenure.version for tenure in past), None)

    def ever_live(self, environment: str) -> list[int]:
        """Every version that ever served an environment, in order of first service."""
        return list(dict.fromkeys(t.version for t in self.tenures if t.environment == environment and t.version))

    def going_on(self, environment: str) -> Release | None:
        """The release into an environment that has not ended."""
        return next((r for r in reversed(self.releases.values()) if r.environment == environment and r.ended is None), None)

    def verdicts_in(self, environment: str, digest: Digest) -> tuple[Verdict, ...] | None:
        """What was said of these bytes in an environment; None when they were never tried there."""
        return self.judged.get(f"{environment}/{digest}")

    def stands_in(self, environment: str, digest: Digest) -> bool:
        """Whether these bytes passed every check of an environment."""
        verdicts = self.verdicts_in(environment, digest)
        return verdicts is not None and overall(verdicts) is Answer.PASS

    @property
    def next_release(self) -> int:
        """The number that the next release will have."""
        return max(self.releases, default=0) + 1


def apply(live: Live, entry: Entry) -> Live:
    """What is live after one more event."""
    at = entry.at
    match entry.event:
        case ev.EnvironmentJudged(environment=environment) as event:
            after = replace(live, judged={**live.judged, f"{environment}/{event.digest}": event.verdicts})
            stands = overall(event.verdicts) is Answer.PASS and environment == "staging"
            return _serves(after, at, environment, event.version, "it passed the checks") if stands else after
        case ev.DeploymentAsked() as event:
            return replace(live, asked=(*live.asked, event))
        case ev.ReleaseStarted() as event:
            fields = {f: getattr(event, f) for f in ("environment", "version", "digest", "champion", "plan", "cuts", "salt", "because")}
            release = Release(number=event.release, started=at, **fields)
            still_asked = tuple(a for a in live.asked if (a.environment, a.version) != (event.environment, event.version))
            return replace(live, releases={**live.releases, release.number: release}, asked=still_asked)
        case ev.StageEntered() as event:
            was = live.releases[event.release]
            stage = Stage(index=event.stage, share=event.share, entered=at, because=event.because, means=event.means)
            return _release(live, replace(was, stages=(*was.stages, stage), evidence=event.evidence))
        case ev.ReleasePaused() as event:
            return _release(live, replace(live.releases[event.release], paused=f"{event.by}: {event.because}"))
        case ev.ReleaseResumed() as event:
            return _release(live, replace(live.releases[event.release], paused=""))
        case ev.VersionPromoted() as event:
            after = _ended(live, event.release, at, "promoted", event.because, event.evidence)
            after = replace(after, asked=tuple(a for a in after.asked if (a.environment, a.version) != (event.environment, event.version)))
            return _serves(after, at, event.environment, event.version, event.because)
        case ev.VersionRolledBack() as event:
            after = _ended(live, event.release, at, "rolled back", event.because, event.evidence)
            if event.quarantine:
                after = replace(after, quarantine={**after.quarantine, event.digest: event.because})
            return _serves(after, at, event.environment, event.to, event.because)
        case ev.ReleaseAbandoned() as event:
            return _ended(live, event.release, at, "abandoned", event.because, event.evidence)
        case ev.QuarantineLifted() as event:
            return replace(live, quarantine={digest: why for digest, why in live.quarantine.items() if digest != event.digest})
        case _:
            return live


def _serves(live: Live, at: datetime, environment: str, version: int | None, because: str) -> Live:
    if live.champion(environment) == version:
        return live
    return replace(live, tenures=(*live.tenures, Tenure(at=at, environment=environment, version=version, because=because)))


def _release(live: Live, release: Release) -> Live:
    return replace(live, releases={**live.releases, release.number: release})


def _ended(live: Live, number: int | None, at: datetime, outcome: str, because: str, evidence: dict[str, float]) -> Live:
    if number is None or number not in live.releases:
        return live
    return _release(live, replace(live.releases[number], ended=at, outcome=outcome, because=because, evidence=evidence, paused=""))
