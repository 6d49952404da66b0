"""A version that was made again, beside what it was: step by step, with what is suspected where they part. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

from towpath.digest import Digest
from towpath.pipeline.reasons import Change
from towpath.pipeline.reasons import in_words as change_in_words
from towpath.report.columns import aligned

SHOWN = 8
MOST_CHANGES = 12


class Answer(StrEnum):
    """How what was made again stands to what was made before."""

    IDENTICAL = "identical"
    EQUAL = "equal"  # within the tolerance
    DIFFERENT = "different"


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """Where a difference most likely comes from.

    ``layer``: ``data``, ``code``, ``parameters``, ``seed``, ``distributions``, ``surroundings``, ``threads``, or ``unknown``.
    """

    layer: str
    because: str


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A step, the model's package or a metric. ``before`` and ``now`` are digests, or figures; ``far`` is how far they are apart."""

    name: str
    answer: Answer
    before: Digest | float
    now: Digest | float | None  # None: it was not made
    far: float | None = None
    because: str = ""


class Reproduction(msgspec.Struct, frozen=True, kw_only=True):
    """A version made again. ``environment``: what is installed otherwise than it was."""

    version: int
    run: int
    commit: str
    answer: Answer
    tolerance: float
    steps: tuple[Part, ...]
    package: Part
    metrics: tuple[Part, ...]
    environment: tuple[Change, ...]
    suspect: Suspect | None = None
    statement: str = ""


def overall(parts: Iterable[Part]) -> Answer:
    """One answer for many: the worst.

    >>> overall([])
    <Answer.IDENTICAL: 'identical'>
    """
    answers = {part.answer for part in parts}
    return next((one for one in (Answer.DIFFERENT, Answer.EQUAL) if one in answers), Answer.IDENTICAL)


def figures(before: Mapping[str, float], now: Mapping[str, float], tolerance: float) -> tuple[Part, ...]:
    """Metrics beside each other. One that is no longer measured is different."""
    return tuple(_figure(name, value, now.get(name), tolerance) for name, value in before.items())


def _figure(name: str, before: float, now: float | None, tolerance: float) -> Part:
    far = None if now is None else distance(before, now)
    answer = Answer.IDENTICAL if before == now else Answer.EQUAL if far is not None and far <= tolerance else Answer.DIFFERENT
    return Part(name=name, answer=answer, before=before, now=now, far=far)


def distance(one: float, other: float) -> float:
    """How far two numbers are apart, relative to the larger of them; absolute where both are below 1.

    >>> distance(200.0, 201.0), distance(0.5, 0.25)
    (0.004975124378109453, 0.25)
    """
    if one == other or (one != one and other != other):
        return 0.0
    return abs(one - other) / max(1.0, abs(one), abs(other))


def in_words(one: Reproduction, width: int) -> str:
    """As text: the answer, each step, the package, the metrics, and what is suspected."""
    head = f"version {one.version} (run {one.run}, commit {one.commit[:SHOWN]}), made again without the cache: {_said(one)}"
    rows = [(f"  {part.name}", part.answer.value, _digests(part), part.because) for part in (*one.steps, one.package)]
    lines = [head, aligned(rows), *_metrics(one), *_environment(one.environment)]
    if one.suspect:
        lines += textwrap.wrap(f"suspected: {one.suspect.layer}: {one.suspect.because}", width, subsequent_indent="  ")
    return "\n".join([*lines, *([f"statement: {one.statement}"] if one.statement else [])])


def _said(one: Reproduction) -> str:
    return f"equal within {one.tolerance:g}" if one.answer is Answer.EQUAL else one.answer.value


def _digests(part: Part) -> str:
    if part.now is None:
        return "not made"
    before, now = str(part.before)[:SHOWN], str(part.now)[:SHOWN]
    return before if part.answer is Answer.IDENTICAL else f"{before} -> {now}"


def _metrics(one: Reproduction) -> list[str]:
    same = [f"{part.name} {part.before:.6g}" for part in one.metrics if part.answer is Answer.IDENTICAL]
    rows = [
        (f"  {part.name}", part.answer.value, f"{part.before:.6g} -> {'-' if part.now is None else f'{part.now:.6g}'}")
        for part in one.metrics
        if part.answer is not Answer.IDENTICAL
    ]
    return [*([aligned(rows)] if rows else []), *([f"  identical: {', '.join(same)}"] if same else [])]


def _environment(changes: Sequence[Change]) -> list[str]:
    if not changes:
        return []
    lines = [f"  {change_in_words(change)}" for change in changes[:MOST_CHANGES]]
    more = [f"  and {len(changes) - MOST_CHANGES:,} more"] if len(changes) > MOST_CHANGES else []
    return [f"the environment is not as it was ({len(changes):,} differ; `--env` builds it anew):", *lines, *more]
