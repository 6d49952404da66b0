"""Whatever is killed or stopped: every answer that was given is in the journal, once."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from http.client import HTTPException
from pathlib import Path

import pytest
from tests.serving.conftest import Server, Start, begin, body, ended, wait_until_ready, write_assignment

from towpath.errors import UsageError
from towpath.journal.commit import segments
from towpath.serving import Fault, ServerSettings
from towpath.serving.run import reserve


def pour(server: Server, name: str, answered: list[str], until: threading.Event) -> None:
    """Ask until the server is gone or ``until`` is set; ids of what was answered go into ``answered``."""
    number = 0
    while not until.is_set():
        number += 1
        try:
            status, answer = server.infer(body(id=f"{name}-{number}"))
        except (OSError, HTTPException):
            return
        assert status == 200, answer
        answered.append(answer["id"])


@pytest.mark.parametrize("release", [{}, {"release": 1, "stage": 1, "share": 0.5, "salt": "s"}], ids=["champion", "canary"])
def test_kill_9_loses_no_answer(start: Start, release: dict[str, object]) -> None:
    server = start()
    server.assign(1, 2 if release else None, **release)
    answered: list[str] = []
    pours = [threading.Thread(target=pour, args=(server, f"t{n}", answered, threading.Event())) for n in range(4)]
    for thread in pours:
        thread.start()
    time.sleep(0.4)
    server.committed()  # a commit in mid-flight, and another after the kill
    time.sleep(0.2)
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()  # its sockets may close before its lock is freed
    for thread in pours:
        thread.join()
    told = server.committed()
    there = server.journal.predictions().frame["id"].to_list()
    assert len(answered) > 50
    assert set(answered) <= set(there)
    assert len(there) == len(set(there)) <= len(answered) + 4
    assert (told.torn, segments(server.root / "spool" / "predictions")) == ((), [])
    assert server.committed().predictions == 0


def test_sigterm_ends_the_requests_in_flight(start: Start) -> None:
    server = start()
    server.assign(1, 3, release=1, stage=1, share=1.0, salt="s", deadline_s=1.0)
    answers: list[tuple[int, dict[str, object]]] = []
    slow = threading.Thread(target=lambda: answers.append(server.infer(body(id="slow", distance=667))))
    slow.start()
    time.sleep(0.3)
    assert server.stop() == 0
    slow.join()
    assert [(status, answer["model_version"]) for status, answer in answers] == [(200, "1")]
    assert [(row["id"], row["outcome"]) for row in server.rows()] == [("slow", "timeout")]
    assert segments(server.root / "spool" / "predictions") == []


def test_ctrl_c_stops_it_as_well(start: Start) -> None:
    assert start().stop(signal.SIGINT) == 0


def test_labels_outlive_the_worker(start: Start) -> None:
    server = start()
    server.ask("POST", "/labels", {"id": "a", "label": True})
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    assert server.committed().labels == 1


def test_without_the_ledger_the_last_known_assignment_serves_and_status_says_so(start: Start) -> None:
    first = start("one")
    first.assign(2)
    first.stop()
    (first.root / "assignment.json").unlink()
    again = begin_without_ledger(first)
    try:
        told = again.status()
        assert (told["champion"]["version"], told["position"]) == (2, 2)
        assert "the ledger is out of reach" in told["notes"][0]
        assert again.infer()[1]["model_version"] == "2"
        write_assignment(again.root, again.packages, 3, 1)
        assert again.status("?position=3")["notes"] == []
        assert again.infer()[1]["model_version"] == "1"
    finally:
        ended(again)


def begin_without_ledger(before: Server) -> Server:
    (before.root / "assignment.json").mkdir()
    server = begin(before.root, before.packages)
    wait_until_ready(server)
    (before.root / "assignment.json").rmdir()
    return server


def test_when_nobody_steers_the_share_is_frozen_then_falls_to_0(start: Start) -> None:
    server = start(hold_s=1.0, poll_s=0.05)
    server.assign(1, 2, release=1, stage=1, share=1.0, salt="s")
    (server.root / "assignment.json").unlink()
    time.sleep(0.3)
    assert server.infer()[1]["model_version"] == "2"
    time.sleep(1.2)
    told = server.status()
    assert (told["share"], any("share fell to 0" in note for note in told["notes"])) == (0.0, True)
    assert server.infer()[1]["model_version"] == "1"
    server.assign(1, 2, release=1, stage=1, share=1.0, salt="s")
    assert server.infer()[1]["model_version"] == "2"


def test_a_source_that_breaks_in_whatever_way_ends_nothing(start: Start) -> None:
    server = start(poll_s=0.05)
    (server.root / "assignment.json").write_text('{"environment": ')
    time.sleep(0.3)
    assert "the ledger is out of reach" in server.status()["notes"][0]
    assert server.infer()[0] == 200
    assert server.assign(2)["notes"] == []


def test_a_name_means_its_address(start: Start) -> None:
    assert start(host="localhost").infer()[0] == 200


def test_before_any_version_serves_it_is_alive_and_not_ready(start: Start) -> None:
    server = start(champion=None)
    assert server.ask("GET", "/v2/health/live")[0] == 200
    assert server.ask("GET", "/v2/health/ready")[0] == 503
    status, answer = server.infer()
    assert (status, "no version serves production yet" in answer["error"]) == (503, True)
    server.assign(1)
    assert server.ask("GET", "/v2/health/ready")[0] == 200


def test_a_taken_port_is_told_and_workers_of_one_server_share_theirs(start: Start) -> None:
    first = start("first", shared_port=True)
    second = begin_at(first, shared_port=False)
    assert second.process.wait(timeout=20) != 0
    third = begin_at(first, shared_port=True)
    try:
        wait_until_ready(third)
        pids = {first.status()["pid"] for _ in range(60)}
        assert pids == {first.process.pid, third.process.pid}
    finally:
        ended(third)


def begin_at(server: Server, **settings: object) -> Server:
    root = server.root.parent / f"beside-{settings['shared_port']}"
    root.mkdir()
    return begin(root, server.packages, port=server.port, **settings)


TOKENS = {"reader": ("predict",), "teller": ("labels",), "boss": ("predict", "labels", "admin")}


def test_tokens_have_scopes(start: Start) -> None:
    server = start(tokens=TOKENS)
    asks = {"predict": ("POST", "/v2/models/flights/infer"), "labels": ("POST", "/labels"), "admin": ("GET", "/metrics")}
    for token, scopes in TOKENS.items():
        for scope, (method, path) in asks.items():
            content = {"predict": body(), "labels": []}.get(scope)
            status, _ = server.ask(method, path, content, {"Authorization": f"Bearer {token}"})
            assert status == (200 if scope in scopes else 403), (token, scope)
    for headers in ({}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic boss"}, {"Authorization": "Bearer b\xf6ss"}):
        status, answer = server.ask("GET", "/towpath/status", None, headers)
        assert (status, "token" in answer["error"]) == (401, True)
    assert server.ask("GET", "/v2/health/ready")[0] == 200


def settings(**changes: object) -> ServerSettings:
    return ServerSettings(**{"model": "flights", "spool": Path("s"), "cache": Path("c"), **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.org", ""])
def test_an_address_others_can_reach_needs_tokens(host: str) -> None:
    with pytest.raises(UsageError, match="needs tokens") as caught:
        settings(host=host)
    assert "127.0.0.1" in caught.value.mend
    assert settings(host=host, tokens={"t": ("predict",)}).host == host


def test_a_fault_goes_with_a_replay_only() -> None:
    with pytest.raises(UsageError, match="outside of a replay"):
        settings(fault=Fault(share=0.03))
    assert settings(fault=Fault(share=0.03), replay=Path("clock")).fault
    with pytest.raises(UsageError, match="between 0 and 1"):
        settings(fault=Fault(share=3), replay=Path("clock"))


def test_the_ready_file_tells_port_and_pid(start: Start) -> None:
    server = start()
    assert json.loads((server.root / "ready.json").read_text()) == {"port": server.port, "pid": server.process.pid}


def test_what_cannot_be_bound_is_told() -> None:
    with pytest.raises(UsageError, match=r"cannot serve on 192.0.2.7:0"):
        reserve("192.0.2.7", 0)
    with reserve("127.0.0.1", 0) as held:
        port = held.getsockname()[1]
        held.listen()
        with pytest.raises(UsageError, match="in use") as caught:
            reserve("127.0.0.1", port)
        assert "another port" in caught.value.mend
        reserve("127.0.0.1", port, shared=True).close()
