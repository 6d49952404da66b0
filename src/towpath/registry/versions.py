"""Candidates and versions, folded from the ledger: the registry is this, and nothing else."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from towpath import events as ev
from towpath.digest import Digest
from towpath.errors import UnknownName
from towpath.ledger import Entry
from towpath.verdict import Answer, Verdict


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A packaged model and what the gates said of exactly these bytes."""

    digest: Digest
    run: int
    recipe: Digest
    parameters: dict[str, object]
    profile: Digest | None = None
    verdicts: tuple[Verdict, ...] = ()
    metrics: dict[str, dict[str, float]] = {}
    standard_errors: dict[str, float] | None = None
    dirty: bool = False

    @property
    def passed(self) -> bool:
        """Whether gates judged it and every one said ``pass``."""
        return bool(self.verdicts) and all(verdict.answer is Answer.PASS for verdict in self.verdicts)


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate that passed, under its number."""

    number: int
    at: datetime
    candidate: Candidate

    @property
    def digest(self) -> Digest:
        """Digest of the package manifest."""
        return self.candidate.digest


class Registry(msgspec.Struct, frozen=True):
    """Candidates by digest, versions by number, and the runs whose tree was dirty."""

    candidates: dict[Digest, Candidate] = {}
    versions: dict[int, Version] = {}
    dirty_runs: frozenset[int] = frozenset()

    @property
    def next_number(self) -> int:
        """The number that the next version will have."""
        return max(self.versions, default=0) + 1

    def version(self, number: int) -> Version:
        """A version by number. Raises UnknownName."""
        if number not in self.versions:
            raise UnknownName("version", str(number), map(str, self.versions))
        return self.versions[number]

    def holding(self, digest: Digest) -> Version | None:
        """The version that holds these bytes, if one does."""
        return next((version for version in self.versions.values() if version.digest == digest), None)


def apply(registry: Registry, entry: Entry) -> Registry:
    """The registry after one more event.

    A registration without passed gates for that digest is no version: the ledger may say it, nothing serves it.
    """
    match entry.event:
        case ev.RunStarted(patch=str()) as event:
            return replace(registry, dirty_runs=registry.dirty_runs | {event.run})
        case ev.CandidatePackaged() as event:
            candidate = Candidate(
                digest=event.digest,
                run=event.run,
                recipe=event.recipe,
                parameters=event.parameters,
                profile=event.profile,
                dirty=event.run in registry.dirty_runs,
            )
        case ev.GatesJudged() as event:
            packaged = registry.candidates[event.digest]
            candidate = replace(packaged, verdicts=event.verdicts, metrics=event.metrics, standard_errors=event.standard_errors)
            registry = _again(registry, candidate)
        case ev.VersionRegistered() as event:
            judged = registry.candidates.get(event.digest)
            if judged is None or not judged.passed or registry.holding(event.digest) or event.version in registry.versions:
                return registry
            version = Version(number=event.version, at=entry.at, candidate=judged)
            return replace(registry, versions={**registry.versions, version.number: version})
        case _:
            return registry
    return replace(registry, candidates={**registry.candidates, candidate.digest: candidate})


def _again(registry: Registry, candidate: Candidate) -> Registry:
    """A version whose bytes were made once more: by a clean tree, it is no longer one of uncommitted code."""
    version = registry.holding(candidate.digest)
    if version is None or not candidate.passed or not version.candidate.dirty:
        return registry
    return replace(registry, versions={**registry.versions, version.number: replace(version, candidate=candidate)})
