"""What is told outside, and in which form: CloudEvents 1.0, with the sentence that a person can read on a phone."""

from __future__ import annotations

from typing import Any

import msgspec

from towpath import events as ev
from towpath.ledger import Entry
from towpath.words import in_words

CONTENT_TYPE = "application/cloudevents+json"
_TOLD_ENDS = (ev.Outcome.REJECTED, ev.Outcome.STOPPED, ev.Outcome.FAILED)


def is_told(event: ev.AnyEvent) -> bool:
    """Whether people are told: findings, rollbacks, promotions, and runs that ended badly."""
    return bool(_type(event))


def cloud_event(entry: Entry, project: str) -> dict[str, Any]:
    """The CloudEvent of an entry that :func:`is_told`.

    Its ``id`` is the entry's, so a receiver can pass over what it has; ``text`` is an extension attribute at the top,
    where chat systems look for it; ``data`` is the event.
    """
    event, text = entry.event, in_words(entry.event)
    return {
        "specversion": "1.0",
        "id": entry.id,
        "source": f"/towpath/{project}",
        "type": f"dev.towpath.{_type(event)}.v{entry.form}",
        "subject": _subject(event),
        "time": entry.at.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "text": f"{project}: {text}",
        "data": {**msgspec.to_builtins(event), "text": text},
    }


def encoded(entry: Entry, project: str) -> bytes:
    """The CloudEvent as JSON; the same bytes each time."""
    return msgspec.json.encode(cloud_event(entry, project), order="deterministic")


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
