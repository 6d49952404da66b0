"""What happened is told to a webhook through `towpath tell`: once, in order, and after it was down."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tests.loop import little
from tests.loop.receiver import Receiver

from towpath import operator, wiring
from towpath.events import Outcome, RunEnded


def tell(root: Path) -> int:
    """`towpath tell` in a process of its own, as the loop starts it; its exit code."""
    command = [sys.executable, "-m", "towpath", "tell", "--project", str(root)]
    environ = {name: value for name, value in little.ENVIRON.items() if name != "TOWPATH_HOME"}
    return subprocess.run(command, env=environ, capture_output=True, check=False).returncode


def test_what_happens_while_a_slow_receiver_is_told_is_told_next(tmp_path: Path) -> None:
    receiver = Receiver(slow_s=1.0)
    text = little.YAML + f'alerts: [{{webhook: "http://127.0.0.1:{receiver.server_port}/hook"}}]\n'
    root = little.make(tmp_path / "little", towpath=text)
    little.live(root)
    world = little.world(root)
    hands = wiring.hands(world, {name: value for name, value in little.ENVIRON.items() if name != "TOWPATH_HOME"})
    try:
        hands.act(world.state())
        while not receiver.got:
            time.sleep(0.01)
        world.tell(RunEnded(run=1, outcome=Outcome.FAILED, because="the disk is full"))  # the teller has read the ledger already
        hands.act(world.state())
        hands.wait()
        assert receiver.kinds == ["promotion"]
        hands.act(world.state())
        hands.wait()
        assert receiver.kinds == ["promotion", "failed"]
    finally:
        hands.stop()
        receiver.end()


def test_a_rollback_is_told_once_also_after_the_receiver_was_down(tmp_path: Path) -> None:
    receiver = Receiver()
    port = receiver.server_port
    text = little.YAML.replace("{shadow: 20, canary: [50%]}", "{}") + f'alerts: [{{webhook: "http://127.0.0.1:{port}/hook"}}]\n'
    root = little.make(tmp_path / "little", towpath=text)
    little.live(root)
    assert tell(root) == 0
    assert receiver.kinds == ["promotion"]
    receiver.end()
    little.commit(root, scaling=little.SCALING.replace("column / 10", "column / 12"))
    little.ran(root)
    little.staged(root, 2)
    little.loop(root).turn()
    operator.rollback(little.world(root), "ann", "complaints", quarantine=True)
    assert tell(root) == 1  # it is down: told, and nothing is lost
    assert little.world(root).state().live.champion("production") == 1
    again = Receiver(port)
    try:
        assert tell(root) == tell(root) == 0
        assert again.kinds == ["promotion", "rollback"]
    finally:
        again.end()
