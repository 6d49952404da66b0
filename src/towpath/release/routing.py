"""From what the ledger says is live to what a server is told to serve."""

from __future__ import annotations

from towpath.digest import Digest
from towpath.ledger import Head
from towpath.registry import Registry
from towpath.release.controller import plan_of
from towpath.release.live import Live, Release
from towpath.release.policy import Canary
from towpath.serving.port import Assignment, Served


def assignment(environment: str, head: Head, registry: Registry, live: Live, *, deadline_s: float) -> Assignment:
    """What serves an environment, as of ``head``.

    There is no other door: a version whose gates did not all say ``pass`` for its digest is never assigned.
    """
    champion = _served(registry, live.champion(environment))
    release = live.going_on(environment)
    challenger = _served(registry, release.version) if release else None
    if release is None or champion is None or challenger is None or not release.stages:
        return Assignment(environment=environment, position=head.position, champion=champion)
    return Assignment(
        environment=environment,
        position=head.position,
        champion=champion,
        challenger=challenger,
        release=release.number,
        stage=release.stages[-1].index,
        share=release.stages[-1].share,
        shadow=not _is_canary(release),
        salt=release.salt,
        deadline_s=deadline_s,
    )


def only(environment: str, version: int, digest: Digest) -> Assignment:
    """One version by itself, as staging tries it."""
    return Assignment(environment=environment, position=0, champion=Served(version=version, digest=digest))


def _is_canary(release: Release) -> bool:
    return isinstance(plan_of(release).stages[release.stages[-1].index], Canary)


def _served(registry: Registry, number: int | None) -> Served | None:
    version = registry.versions.get(number) if number is not None else None
    return Served(version=version.number, digest=version.digest) if version and version.candidate.passed else None
