"""What is told outside, and in which words: CloudEvents 1.0, with a sentence that a person can read on a phone."""

from __future__ import annotations

from typing import Any

import msgspec

from towpath import events as ev

CONTENT_TYPE = "application/cloudevents+json"
_TOLD_ENDS = (ev.Outcome.REJECTED, ev.Outcome.STOPPED, ev.Outcome.FAILED)


def is_told(event: ev.AnyEvent) -> bool:
    """Whether people are told: findings, rollbacks, promotions, and runs that ended badly."""
    return bool(_type(event))


def cloud_event(entry: ev.Entry, project: str) -> dict[str, Any]:
    """The CloudEvent of an entry that :func:`is_told`.

    Its ``id`` is the entry's, so a receiver can pass over what it has; ``text`` is an extension attribute at the top,
    where chat systems look for it; ``data`` is the event.
    """
    event = entry.event
    return {
        "specversion": "1.0",
        "id": entry.id,
        "source": f"/towpath/{project}",
        "type": f"dev.towpath.{_type(event)}.v{entry.form}",
        "subject": _subject(event),
        "time": entry.at.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "text": f"{project}: {text(event)}",
        "data": {**msgspec.to_builtins(event), "text": text(event)},
    }


def encoded(entry: ev.Entry, project: str) -> bytes:
    """The CloudEvent as JSON; the same bytes each time."""
    return msgspec.json.encode(cloud_event(entry, project), order="deterministic")


def text(event: ev.AnyEvent) -> str:
    """One plain sentence.

    >>> text(ev.VersionPromoted(environment="production", version=3, digest="d", previous=2, release=1, by="loop", because="safe"))
    'version 3 serves production in place of version 2: safe'
    """
    match event:
        case ev.FindingMade():
            about = f"version {event.version}: " if event.version is not None else ""
            return f"{about}{event.because}"
        case ev.VersionRolledBack():
            serves = f"version {event.to} serves" if event.to is not None else "nothing serves"
            return f"version {event.version} was rolled back in {event.environment}, {serves}: {event.because}"
        case ev.VersionPromoted():
            place = f" in place of version {event.previous}" if event.previous is not None else ""
            return f"version {event.version} serves {event.environment}{place}: {event.because}"
        case ev.RunEnded():
            return f"run {event.run} {_was(event.outcome)}: {event.because}"
        case ev.RunLost():
            return f"run {event.run} was lost: {event.because}"
        case _:
            return type(event).__name__


def _type(event: ev.AnyEvent) -> str:
    match event:
        case ev.FindingMade():
            return "finding"
        case ev.VersionRolledBack():
            return "rollback"
        case ev.VersionPromoted():
            return "promotion"
        case ev.RunEnded() if event.outcome in _TOLD_ENDS:
            return f"run.{event.outcome}"
        case ev.RunLost():
            return "run.lost"
        case _:
            return ""


def _was(outcome: ev.Outcome) -> str:
    return outcome.value if outcome is ev.Outcome.FAILED else f"was {outcome.value}"


def _subject(event: ev.AnyEvent) -> str:
    match event:
        case ev.FindingMade():
            return f"{event.subject}/{event.what}"
        case ev.VersionRolledBack() | ev.VersionPromoted():
            return f"{event.environment}/version/{event.version}"
        case ev.RunEnded() | ev.RunLost():
            return f"run/{event.run}"
        case _:
            return type(event).__name__
