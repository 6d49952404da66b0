"""A challenger beside the champion: who is assigned, and what happens when it fails."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.serving.conftest import Server, Start, body

from towpath.clock import ReplayClock
from towpath.digest import of_bytes
from towpath.release.policy import arm
from towpath.serving import Fault

CANARY: dict[str, Any] = {"release": 1, "stage": 1, "share": 0.5, "salt": "s"}
SHADOW: dict[str, Any] = {"release": 1, "stage": 0, "shadow": True, "salt": "s"}
ALL: dict[str, Any] = {**CANARY, "share": 1.0}


def outcomes(server: Server) -> Counter[tuple[str, str, int]]:
    return Counter((row["arm"], row["outcome"], row["answered_by"]) for row in server.rows())


def test_a_version_is_switched_to_without_a_request_lost(start: Start) -> None:
    server = start()
    assert server.infer()[1]["model_version"] == "1"
    told = server.assign(2)
    assert (told["champion"]["version"], told["position"], told["notes"]) == (2, 2, [])
    assert server.infer()[1]["model_version"] == "2"


def test_in_a_canary_the_id_decides_who_answers(start: Start) -> None:
    server = start()
    told = server.assign(1, 2, **CANARY)
    assert (told["challenger"]["version"], told["challenger_trouble"], told["share"]) == (2, "", 0.5)
    ids = [f"id-{number}" for number in range(60)]
    answered = {id: server.infer(body(id=id))[1]["model_version"] for id in ids}
    assert answered == {id: "2" if arm("s", id, 0.5) else "1" for id in ids}
    rows = {row["id"]: row for row in server.rows()}
    assert {id: str(row["answered_by"]) for id, row in rows.items()} == answered
    assert all(row["arm"] == ("challenger" if row["version"] == 2 else "champion") for row in rows.values())
    assert {(row["release"], row["stage"], row["share"]) for row in rows.values()} == {(1, 1, 0.5)}
    counts = server.status()["counts"]
    assert counts["champion"]["ok"] + counts["challenger"]["ok"] == 60


def test_both_arms_say_what_their_version_says_alone(start: Start) -> None:
    server = start()
    server.assign(1, 2, **ALL)
    assigned = server.infer()[1]["outputs"]
    pinned = server.infer(path="/v2/models/flights/versions/2/infer")[1]
    assert (pinned["model_version"], pinned["outputs"]) == ("2", assigned)
    of_champion = server.infer(path="/v2/models/flights/versions/1/infer")[1]
    assert of_champion["outputs"] != assigned
    server.assign(2)
    assert server.infer()[1]["outputs"] == assigned
    pinned_rows = [row for row in server.rows() if row["release"] == 0 and row["id"] in (pinned["id"], of_champion["id"])]
    assert [(row["version"], row["share"]) for row in pinned_rows] == [(2, 0.0), (1, 0.0)]  # they take part in no release


def test_what_the_challenger_cannot_do_the_champion_answers_and_the_challenger_is_charged_with(start: Start) -> None:
    server = start()
    server.assign(1, 3, **ALL)
    assert server.infer(body(id="well"))[1]["model_version"] == "3"
    status, answer = server.infer(body(id="raises", distance=666))
    assert (status, answer["model_version"]) == (200, "1")
    begun = time.monotonic()
    status, answer = server.infer(body(id="hangs", distance=667))
    assert (status, answer["model_version"]) == (200, "1")
    assert time.monotonic() - begun < 2
    rows = {row["id"]: row for row in server.rows()}
    found = {id: (row["arm"], row["version"], row["outcome"], row["answered_by"]) for id, row in rows.items()}
    assert found == {
        "well": ("challenger", 3, "ok", 3),
        "raises": ("challenger", 3, "error", 1),
        "hangs": ("challenger", 3, "timeout", 1),
    }
    assert "no such distance" in rows["raises"]["detail"]
    assert rows["hangs"]["latency_s"] > 0.2
    assert rows["raises"]["prediction"] in ("true", "false")  # the answer that was given


def test_a_challenger_that_crashes_is_started_again_and_meanwhile_charged(start: Start) -> None:
    server = start()
    server.assign(1, 3, **ALL)
    first = server.status()["challenger_pid"]
    assert server.infer(body(id="crashes", distance=668))[1]["model_version"] == "1"
    assert server.infer(body(id="down"))[1]["model_version"] == "1"
    assert "status" in server.status()["challenger_trouble"]
    assert wait_for_pid(server) != first
    assert server.infer(body(id="back"))[1]["model_version"] == "3"
    assert {row["id"]: row["outcome"] for row in server.rows()} == {"crashes": "crash", "down": "crash", "back": "ok"}


def wait_for_pid(server: Server) -> int:
    for _ in range(200):
        told = server.status()
        if told["challenger_pid"] and not told["challenger_trouble"]:
            return int(told["challenger_pid"])
        time.sleep(0.05)
    raise AssertionError("the challenger did not come back")


def test_a_hanging_challenger_is_taken_for_dead_after_a_few_timeouts(start: Start) -> None:
    server = start()
    server.assign(1, 3, deadline_s=0.05, **ALL)
    for number in range(6):
        assert server.infer(body(id=f"r{number}", distance=667))[0] == 200
    assert {row["id"]: row["outcome"] for row in server.rows()} == {
        **{f"r{n}": "timeout" for n in range(4)},
        **{f"r{n}": "crash" for n in range(4, 6)},
    }


def test_the_challenger_s_process_dies_with_the_worker(start: Start) -> None:
    server = start()
    child = server.assign(1, 2, **CANARY)["challenger_pid"]
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    for _ in range(100):
        if not Path(f"/proc/{child}").exists() or "\nState:\tZ" in Path(f"/proc/{child}/status").read_text():
            return
        time.sleep(0.02)
    raise AssertionError("the challenger outlived its worker")


def test_in_shadow_the_champion_answers_all_and_the_challenger_scores_copies(start: Start) -> None:
    server = start()
    server.assign(1, 2, **SHADOW)
    answers = {f"s{n}": server.infer(body(id=f"s{n}", hour=5 + n % 18))[1] for n in range(30)}
    assert {answer["model_version"] for answer in answers.values()} == {"1"}
    assert server.status("?settled=1")["waiting"] == 0
    rows = server.rows()
    shadows = {row["id"]: row for row in rows if row["role"] == "shadow"}
    assert len(rows) == 60
    assert shadows.keys() == answers.keys()
    assert {(row["arm"], row["version"], row["answered_by"], row["outcome"], row["share"]) for row in shadows.values()} == {
        ("challenger", 2, 1, "ok", 0.0)
    }
    scores = {row["id"]: row["score"] for row in rows if row["role"] == "answer"}
    assert any(scores[id] != row["score"] for id, row in shadows.items())
    assert {row["at"] for row in rows if row["id"] == "s3"} == {shadows["s3"]["at"]}


def test_a_failing_shadow_is_recorded_and_costs_no_answer(start: Start) -> None:
    server = start()
    server.assign(1, 3, **SHADOW)
    assert server.infer(body(id="a", distance=666))[0] == 200
    server.status("?settled=1")
    assert [(row["role"], row["outcome"], row["prediction"] == "null") for row in server.rows()] == [
        ("answer", "ok", False),
        ("shadow", "error", True),
    ]


def test_a_champion_that_does_not_answer_its_golden_rows_is_not_adopted(start: Start) -> None:
    server = start()
    told = server.assign(4)
    assert told["champion"]["version"] == 1
    assert "version 4 was not adopted, version 1 goes on serving" in told["notes"][0]
    assert "golden row" in told["notes"][0]
    assert server.infer()[1]["model_version"] == "1"
    assert server.assign(2)["notes"] == []


def test_a_challenger_that_does_not_answer_its_golden_rows_never_answers_and_is_charged(start: Start) -> None:
    server = start()
    told = server.assign(1, 4, **ALL)
    assert "golden row" in told["challenger_trouble"]
    assert server.infer(body(id="a"))[1]["model_version"] == "1"
    assert outcomes(server) == {("challenger", "crash", 1): 1}


def test_a_challenger_whose_package_is_not_in_the_store_is_charged(start: Start) -> None:
    server = start()
    server.packages.versions[9] = of_bytes(b"never stored")
    told = server.assign(1, 9, **ALL)
    assert "no object in the store" in told["challenger_trouble"]
    assert server.infer(body(id="a"))[1]["model_version"] == "1"
    assert outcomes(server) == {("challenger", "crash", 1): 1}


def test_a_challenger_s_label_values_and_columns_are_its_own(start: Start) -> None:
    server = start()
    server.assign(1, 2, **ALL)
    assert server.infer(body(id="a"))[1]["outputs"][1]["parameters"] == {"classes": [False, True]}


def test_a_champion_that_fails_is_a_500_that_is_recorded(start: Start) -> None:
    server = start(champion=3)
    status, answer = server.infer(body(id="a", distance=666))
    assert (status, "version 3 failed on this request: ArithmeticError: no such distance" in answer["error"]) == (500, True)
    assert outcomes(server) == {("champion", "error", 3): 1}


def test_a_planted_fault_strikes_its_share_of_the_canary_and_no_shadow(start: Start, tmp_path: Path) -> None:
    now = datetime(2013, 5, 3, 14, tzinfo=UTC)
    clock = ReplayClock(tmp_path / "clock", start=now)
    server = start(replay=tmp_path / "clock", fault=Fault(share=0.3))
    server.assign(1, 2, **SHADOW)
    for number in range(10):
        server.infer(body(id=f"shadow-{number}"))
    server.status("?settled=1")
    later = now.replace(hour=15)
    clock.set(later)
    server.assign(1, 2, **ALL)
    answers = [server.infer(body(id=f"id-{number}")) for number in range(60)]
    assert {status for status, _ in answers} == {200}
    struck = [f"id-{n}" for n in range(60) if arm("planted fault", f"id-{n}", 0.3)]
    rows = server.rows()
    assert [row["id"] for row in rows if row["outcome"] == "error"] == struck
    assert {row["at"] for row in rows} == {now, later}
    assert 8 < len(struck) < 30
