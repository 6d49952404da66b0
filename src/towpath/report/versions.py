"""One version in full: what it was made from, what was said of it, where it served, and why it stands where it stands. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

from towpath.registry import Registry, Version
from towpath.release import controller
from towpath.release.live import Live, Release
from towpath.report import runs as run_pages
from towpath.report.runs import RunPage, minute
from towpath.verdict import Verdict


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which a version served. ``end`` is None while it does."""

    environment: str
    start: datetime
    end: datetime | None


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """A release of the version: its stages as (share, entered, because), and how it ended."""

    release: int
    champion: int | None
    started: datetime
    stages: tuple[tuple[float, datetime, str], ...]
    ended: datetime | None
    outcome: str
    evidence: dict[str, float]


class VersionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of one version. ``standing`` is where it stands now and why, in one sentence."""

    version: int
    digest: str
    registered: datetime
    standing: str
    run: RunPage
    against: int | None  # the champion that its gates compared it with
    staging: tuple[Verdict, ...] | None
    releases: tuple[Way, ...]
    served: tuple[Span, ...]
    quarantined: str


def page(version: Version, run: RunPage, registry: Registry, live: Live) -> VersionPage:
    """The page of one version, which ``run`` made."""
    return VersionPage(
        version=version.number,
        digest=version.digest,
        registered=version.at,
        standing=standing(version, registry, live),
        run=run,
        against=live.champion(controller.PRODUCTION, run.ended or version.at) if run.metrics.get("champion") else None,
        staging=live.verdicts_in(controller.STAGING, version.digest),
        releases=tuple(_way(release) for release in live.releases.values() if release.version == version.number),
        served=spans(version.number, live),
        quarantined=live.quarantine.get(version.digest, ""),
    )


def _way(release: Release) -> Way:
    return Way(
        release=release.number,
        champion=release.champion,
        started=release.started,
        stages=tuple((stage.share, stage.entered, stage.because) for stage in release.stages),
        ended=release.ended,
        outcome=release.outcome,
        evidence=release.evidence,
    )


def spans(number: int, live: Live) -> tuple[Span, ...]:
    """When and where a version served."""
    found = []
    for place in dict.fromkeys(tenure.environment for tenure in live.tenures):
        there = [tenure for tenure in live.tenures if tenure.environment == place]
        for tenure, after in zip(there, [*there[1:], None], strict=True):
            if tenure.version == number:
                found.append(Span(environment=place, start=tenure.at, end=after.at if after else None))
    return tuple(found)


def standing(version: Version, registry: Registry, live: Live) -> str:
    """Where a version stands on its way to production, and why."""
    champion, release = live.champion(controller.PRODUCTION), live.going_on(controller.PRODUCTION)
    if champion == version.number:
        tenure = next(t for t in reversed(live.tenures) if t.environment == controller.PRODUCTION)
        return f"serves production since {minute(tenure.at)}: {tenure.because}"
    if release and release.version == version.number:
        return f"on its way to production: {stage_in_words(release)}"
    if live.verdicts_in(controller.STAGING, version.digest) is None:
        untried = controller.untried(registry, live)
        if untried and untried.number == version.number:
            return "waits for the checks of staging: `towpath up` or `towpath turn` makes them"
        return "was passed over: a newer version went to staging before this one was tried"
    why = controller.why_not(version, live)
    if why:
        return f"may not go to production: {why}"
    asks = controller.challenger(registry, live)
    if asks and asks.number == version.number:
        return "asks for production: the next turn begins its release (`towpath up` or `towpath turn`)"
    return f"{_past(version.number, live)}; `towpath deploy {version.number}` asks for it again"


def _past(number: int, live: Live) -> str:
    now = f"version {live.champion(controller.PRODUCTION)} serves production now"
    ended = next((r for r in reversed(live.releases.values()) if r.version == number and r.ended), None)
    if number in live.ever_live(controller.PRODUCTION):
        return f"served production until it was replaced; {now}"
    return f"its release {ended.number} was {ended.outcome}; {now}" if ended else f"was never released; {now}"


def stage_in_words(release: Release) -> str:
    """How far a release is.

    Of a release that has entered no stage: ``release 2, not begun``.
    """
    stage = release.stage
    place = "not begun" if stage is None else "shadow" if not stage.share else f"canary at {stage.share:.0%}"
    paused = f", paused by {release.paused}" if release.paused else ""
    return f"release {release.number}, {place}{paused}"


def shown(one: VersionPage, width: int) -> str:
    """The page as text: facts, data, parameters, pipeline, metrics, verdicts, where it served."""
    run = one.run.row
    head = [
        f"version {one.version}: {one.standing}",
        f"  made by    run {run.run} ({run.cause}) from commit {run.commit[:8]}{' with uncommitted changes' if run.dirty else ''}",
        f"  registered {minute(one.registered)}",
        f"  digest     {one.digest}",
    ]
    parts = [
        run_pages.data_in_words(one.run.data),
        run_pages.settings_in_words(one.run.parameters),
        run_pages.graph_in_words(one.run.graph, width),
    ]
    parts += [run_pages.metrics_in_words(one.run.metrics), *_verdicts(one), _served(one)]
    return "\n".join(line for line in [*head, *parts] if line)


def explained(one: VersionPage) -> str:
    """Why it stands where it stands: cause, gates, staging, releases, in the order of time."""
    run = one.run.row
    head = [
        f"version {one.version} {one.standing}",
        f"made\n  by run {run.run} ({run.cause}) from commit {run.commit[:8]}{' with uncommitted changes' if run.dirty else ''}",
    ]
    return "\n".join(line for line in [*head, *_verdicts(one), *map(_way_in_words, one.releases), _served(one)] if line)


def _verdicts(one: VersionPage) -> list[str]:
    against = f" (champion: version {one.against})" if one.against else ""
    staging = one.staging if one.staging is not None else ()
    return [run_pages.verdicts_in_words(f"gates{against}", one.run.gates), run_pages.verdicts_in_words("staging", staging)]


def _way_in_words(way: Way) -> str:
    against = f"against version {way.champion}" if way.champion else "where nothing served"
    lines = [f"release {way.release} {against}, started {minute(way.started)}"]
    lines += [
        f"  {minute(entered)}  {f'{share:.0%} of the requests' if share else 'shadow'}: {because}" for share, entered, because in way.stages
    ]
    lines += [f"  {minute(way.ended)}  {way.outcome}"] if way.ended else ["  is going on: `towpath release status`"]
    return "\n".join(lines)


def _served(one: VersionPage) -> str:
    lines = [f"  {span.environment} {minute(span.start)} to {minute(span.end) if span.end else 'now'}" for span in one.served]
    return "\n".join(["served", *lines]) if lines else ""
