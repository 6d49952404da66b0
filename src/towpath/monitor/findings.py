"""Findings: what the monitors saw, folded from the ledger, so that one champion gets each finding once."""

from __future__ import annotations

from datetime import datetime

import msgspec

from towpath import events as ev
from towpath.ledger import Entry


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a monitor would say; it becomes an event, with a number, when it is new.

    Attributes:
        subject: ``drift``, ``performance`` or another monitor's word.
        what: the column or the metric.
        version: the version that served.
        because: one sentence for people, with the values in it.
        effect: ranks findings of one subject; larger is worse.
        start: of the project's time that it speaks of.
        end: of that time.
        numbers: the same values for machines.
    """

    subject: str
    what: str
    version: int | None
    because: str
    effect: float
    start: datetime
    end: datetime
    numbers: dict[str, float] = {}

    @property
    def key(self) -> Key:
        """What makes two findings the same."""
        return (self.subject, self.what, self.version)


Key = tuple[str, str, int | None]


class Findings(msgspec.Struct, frozen=True):
    """All findings, in order, and when each was made."""

    made: tuple[ev.FindingMade, ...] = ()
    times: tuple[datetime, ...] = ()
    keys: frozenset[Key] = frozenset()

    @property
    def next_number(self) -> int:
        """The number that the next finding will have."""
        return max((event.finding for event in self.made), default=0) + 1

    def about(self, version: int | None) -> list[ev.FindingMade]:
        """Findings about one version: those about the champion are open, the others are history."""
        return [event for event in self.made if event.version == version]

    def knows(self, finding: Finding) -> bool:
        """Whether the same was found before: subject, what and version are equal."""
        return finding.key in self.keys


def apply(findings: Findings, entry: Entry) -> Findings:
    """The findings after one more event."""
    if not isinstance(entry.event, ev.FindingMade):
        return findings
    event = entry.event
    key = (event.subject, event.what, event.version)
    return Findings((*findings.made, event), (*findings.times, entry.at), findings.keys | {key})


def news(findings: Findings, seen: list[Finding]) -> list[ev.FindingMade]:
    """Events for what was ``seen`` and is new, numbered, in the order given; each key once."""
    fresh = {finding.key: finding for finding in reversed(seen) if not findings.knows(finding)}
    ordered = [finding for finding in seen if fresh.get(finding.key) is finding]
    return [
        ev.FindingMade(finding=number, **{name: getattr(finding, name) for name in Finding.__struct_fields__})
        for number, finding in enumerate(ordered, findings.next_number)
    ]
