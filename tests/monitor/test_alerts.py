"""Alerts: over real HTTP, at least once, in order, resumed after a crash; one that is down holds up no other."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from towpath.digest import Digest
from towpath.errors import Unavailable, UsageError
from towpath.events import (
    AnyEvent,
    Delivered,
    FindingMade,
    Outcome,
    RunEnded,
    RunLost,
    TriggerRefused,
    VersionPromoted,
    VersionRolledBack,
)
from towpath.ledger import entry
from towpath.ledger.memory import MemoryLedger
from towpath.monitor.alerts import cloud_event, deliver, is_told, pending, places
from towpath.monitor.alerts.webhook import SIGNATURE, Webhook

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DIGEST = Digest("d" * 64)


class Noon:
    def now(self) -> datetime:
        return AT


CLOCK = Noon()
FINDING = FindingMade(finding=1, subject="drift", what="temp", version=3, because="temp drifted: 20% of rows", effect=0.2, start=AT, end=AT)
ROLLBACK = VersionRolledBack(
    environment="production", version=4, digest=DIGEST, to=3, release=2, by="loop", because="it failed 3.1% of its requests"
)
PROMOTION = VersionPromoted(environment="production", version=3, digest=DIGEST, previous=None, release=1, by="loop", because="safe")
REFUSED = TriggerRefused(trigger="drift", cause="c", key="k", because="cooldown")


class Receiver(ThreadingHTTPServer):
    """A real server: keeps what it was sent; answers ``status`` after ``delay_s``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status, self.delay_s = 204, 0.0
        self.url = f"http://127.0.0.1:{self.server_port}/hooks/secret?to=team"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(self.server.delay_s)
        if self.server.status < 300:
            self.server.got.append(({**self.headers, "path": self.path}, body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def ledger_of(*events: AnyEvent) -> MemoryLedger:
    ledger = MemoryLedger()
    ledger.append([entry(event, CLOCK, id=f"e{number}") for number, event in enumerate(events, 1)])
    return ledger


def ids(receiver: Receiver) -> list[str]:
    return [json.loads(body)["id"] for _, body in receiver.got]


def test_findings_and_rollbacks_are_told_once_as_cloud_events(receiver):
    ledger, hook = ledger_of(FINDING, REFUSED, ROLLBACK), Webhook(receiver.url, project="flights", secret="s3")
    assert [(one.told, one.fault) for one in deliver(ledger, [hook], CLOCK, {})] == [(2, None)]
    assert [one.told for one in deliver(ledger, [hook], CLOCK, places(ledger.read()))] == [0]
    headers, body = receiver.got[0]
    sent = json.loads(body)
    assert ids(receiver) == ["e1", "e3"]
    assert (sent["specversion"], sent["type"], sent["subject"]) == ("1.0", "dev.towpath.finding.v1", "drift/temp")
    assert (sent["time"], sent["source"]) == ("2026-01-02T03:04:05Z", "/towpath/flights")
    assert sent["text"] == "flights: finding 1, drift in temp of version 3: temp drifted: 20% of rows"
    assert sent["data"]["effect"] == 0.2
    assert headers["path"] == "/hooks/secret?to=team"
    assert headers["Content-Type"] == "application/cloudevents+json"
    assert headers[SIGNATURE] == "sha256=" + hmac.new(b"s3", body, hashlib.sha256).hexdigest()
    assert json.loads(receiver.got[1][1])["type"] == "dev.towpath.rollback.v1"


def test_a_target_that_is_down_keeps_its_place_and_holds_up_no_other(receiver):
    ledger = ledger_of(FINDING, ROLLBACK)
    down, up = Receiver(), Webhook(receiver.url, project="flights", name="up")
    down.server_close()
    hook = Webhook(down.url, project="flights", name="down", timeout_s=0.5)
    first, second = deliver(ledger, [hook, up], CLOCK, {})
    assert isinstance(first.fault, Unavailable)
    assert (first.told, second.told) == (0, 2)
    assert places(ledger.read()) == {"up": 2}
    assert "secret" not in str(first.fault)


def test_it_goes_on_where_it_was_refused_and_nothing_is_lost_or_out_of_order(receiver):
    ledger, hook = ledger_of(FINDING), Webhook(receiver.url, project="flights")
    deliver(ledger, [hook], CLOCK, {})
    ledger.append([entry(ROLLBACK, CLOCK, id="r"), entry(PROMOTION, CLOCK, id="p")])
    receiver.status = 500
    assert "answered 500" in str(deliver(ledger, [hook], CLOCK, places(ledger.read()))[0].fault)
    receiver.status = 200
    deliver(ledger, [hook], CLOCK, places(ledger.read()))
    assert ids(receiver) == ["e1", "r", "p"]


def test_a_target_that_hangs_is_given_up_after_its_time(receiver):
    receiver.delay_s = 1.0
    began = time.monotonic()
    fault = deliver(ledger_of(FINDING), [Webhook(receiver.url, project="flights", timeout_s=0.2)], CLOCK, {})[0].fault
    assert "did not answer within 0.2 s" in str(fault)
    assert time.monotonic() - began < 0.9


def test_after_a_crash_between_telling_and_noting_the_same_id_comes_again(receiver):
    ledger, hook = ledger_of(FINDING, ROLLBACK), Webhook(receiver.url, project="flights")
    record = next(pending(ledger.read(), hook, 0))
    hook.tell(record)  # and then the process dies
    deliver(ledger, [hook], CLOCK, places(ledger.read()))
    assert ids(receiver) == ["e1", "e1", "e2"]
    assert receiver.got[0][1] == receiver.got[1][1]


def test_two_outboxes_note_one_place():
    class Kind:
        name = "kind"

        def wants(self, event: AnyEvent) -> bool:
            return is_told(event)

        def tell(self, record: object) -> None:
            return None

    ledger = ledger_of(FINDING)
    deliver(ledger, [Kind()], CLOCK, {})
    deliver(ledger, [Kind()], CLOCK, {})
    assert [record.entry.event for record in ledger.read(1)] == [Delivered(target="kind", position=1)]


def test_who_is_told_of_what():
    ended = RunEnded(run=2, outcome=Outcome.REJECTED, because="auc 0.61 < 0.66")
    lost = RunLost(run=5, because="its process is gone")
    assert all(is_told(event) for event in (FINDING, ROLLBACK, PROMOTION, ended, lost))
    quiet = (REFUSED, RunEnded(run=1, outcome=Outcome.UNCHANGED, because=""), Delivered(target="t", position=1))
    assert not any(is_told(event) for event in quiet)
    assert cloud_event(entry(ended, CLOCK, id="x"), "p")["type"] == "dev.towpath.run.rejected.v1"


def test_an_address_that_is_none():
    with pytest.raises(UsageError, match="no web address"):
        Webhook("${ALERT_URL}", project="flights")
