"""The folder of a run's code: gone with the run, or with the next one after kill -9; never that of a run that goes on."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from towpath.run.unpacked import NEW_S, sweep

HOLD = "from towpath.run.unpacked import folder\nwith folder() as one:\n    (one / 'a').touch()\n    print(one, flush=True)\n    input()\n"


def held(place: Path) -> tuple[subprocess.Popen[str], Path]:
    run = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**environ(), "TMPDIR": str(place)}
    )
    assert run.stdout
    return run, Path(run.stdout.readline().strip())


def environ() -> dict[str, str]:
    return {"PYTHONPATH": ":".join(sys.path)}


def test_what_a_killed_run_left_goes_and_what_another_has_stays(tmp_path: Path) -> None:
    (killed, left), (going, kept) = held(tmp_path), held(tmp_path)
    killed.kill()
    killed.communicate()
    assert (left / "a").exists()
    sweep(tmp_path, time.time())
    assert left.exists(), "it may be so new that its run has not locked it yet"
    sweep(tmp_path, time.time() + 2 * NEW_S)
    assert not left.exists()
    assert (kept / "a").exists()
    going.communicate("\n")
    assert going.returncode == 0
    assert list(tmp_path.iterdir()) == []
