"""The one sentence of an event: every kind has it, and whoever tells it makes it shorter, never other."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from towpath import events as ev
from towpath.backtest.table import told
from towpath.digest import Digest
from towpath.ledger import Entry
from towpath.monitor.alerts import cloud_event, is_told
from towpath.state import State
from towpath.words import in_words

AT = datetime(2026, 1, 2, tzinfo=UTC)
DIGEST = Digest("d" * 64)
WHY = "errors: 130 of 4,162 requests of the challenger, 12 of the champion's 5,443"
ROLLBACK = ev.VersionRolledBack(environment="production", version=4, digest=DIGEST, to=3, release=2, by="loop", because=WHY)
PROMOTION = ev.VersionPromoted(environment="production", version=4, digest=DIGEST, previous=3, release=2, by="loop", because=WHY)
FINDING = ev.FindingMade(finding=1, subject="drift", what="temp", version=3, because=WHY, effect=0.2, start=AT, end=AT)
SAID = {
    f"version 4 was rolled back in production, quarantined, version 3 serves: {WHY}": ROLLBACK,
    f"version 4 serves production instead of version 3: {WHY}": PROMOTION,
    f"finding 1, drift in temp of version 3: {WHY}": FINDING,
    f"run 2 was rejected: {WHY}": ev.RunEnded(run=2, outcome=ev.Outcome.REJECTED, because=WHY),
    f"run 2 was stopped: {WHY}": ev.RunEnded(run=2, outcome=ev.Outcome.STOPPED, because=WHY),
    f"run 2 failed: {WHY}": ev.RunEnded(run=2, outcome=ev.Outcome.FAILED, because=WHY),
    f"run 5 was lost: {WHY}": ev.RunLost(run=5, because=WHY),
}


@pytest.mark.parametrize(("sentence", "event"), SAID.items(), ids=[f"{type(e).__name__}-{n}" for n, e in enumerate(SAID.values())])
def test_history_webhook_and_table_tell_one_sentence(sentence: str, event: ev.AnyEvent) -> None:
    entry = Entry(id="e", at=AT, machine=0.0, event=event)
    assert in_words(event) == sentence
    assert is_told(event)
    assert cloud_event(entry, "flights")["text"] == f"flights: {sentence}"
    assert sentence.startswith(told(event, State()))


def test_a_reason_is_kept_whole_or_clipped_or_left_out() -> None:
    assert in_words(PROMOTION, most=len(WHY)) == in_words(PROMOTION)
    assert in_words(PROMOTION, most=13) == "version 4 serves production instead of version 3: errors: 130…"
    assert in_words(PROMOTION, most=0) == "version 4 serves production instead of version 3"
    assert in_words(ev.RunEnded(run=1, outcome=ev.Outcome.UNCHANGED, because="")) == "run 1 made nothing new"


def test_a_reason_is_told_last() -> None:
    lifted = ev.QuarantineLifted(digest=DIGEST, by="ann", because="mended")
    assert in_words(lifted) == "the quarantine of dddddddd was lifted by ann: mended"
    refused = ev.TriggerRefused(trigger="drift", cause="temp", key="k", because="cooldown")
    assert in_words(refused) == "drift asked for a run (temp) and got none: cooldown"


def test_a_version_that_was_rolled_back_by_hand_may_stay_out_of_quarantine() -> None:
    by_hand = ev.VersionRolledBack(
        environment="production", version=1, digest=DIGEST, to=None, release=None, by="ann", because="odd", quarantine=False
    )
    assert in_words(by_hand) == "version 1 was rolled back in production, nothing serves: odd"
