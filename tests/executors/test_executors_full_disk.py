"""A full disk: one plain error, nothing half-written, and what was done before is kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

TOWPATH = [sys.executable, "-m", "towpath"]
SEE_DISK = "look at the disk's free space"
CODE = """
import os, time
from pathlib import Path

def small():
    return 1

def big(small):
    return os.urandom(20_000_000)

def folder(small):
    place = Path(__file__).parent / "made"
    place.mkdir()
    (place / "file").write_bytes(os.urandom(20_000_000))
    return place

def chatty(small):
    print("x" * 20_000_000)
    return 2

def given(big: bytes):
    return len(big)
"""


def mount(*options: str) -> bool:
    return subprocess.run(["mount", *options], capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(tmp_path):
    """The folder of a project's state as a disk of its own; called with a size in MB, it gets that size."""
    state = tmp_path / "state"
    state.mkdir()
    if not mount("-t", "tmpfs", "-o", "size=64m", "tmpfs", str(state)):
        pytest.skip("nobody may mount a tmpfs here: run as root")
    yield lambda size: mount("-o", f"remount,size={size}m", str(state)) or pytest.fail("tmpfs cannot be resized")
    subprocess.run(["umount", "--lazy", str(state)], check=True)


@pytest.fixture
def home(disk, tmp_path):
    made = tmp_path / "home"
    made.mkdir()
    (made / "pipeline.py").write_text(CODE)
    declared(made, "small")
    for words in (["init", "--quiet"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "start"]):
        subprocess.run(["git", *words], cwd=made, check=True)
    towpath(made, "run")
    return made


def declared(home: Path, *steps: str) -> None:
    (home / "towpath.yaml").write_text(f"name: barges\npipeline: pipeline.py\nsteps: {json.dumps({step: {} for step in steps})}\n")


def towpath(home: Path, *words: str, code: int = 0) -> str:
    """What a command says."""
    environ = {**os.environ, "TOWPATH_HOME": str(home.parent / "state")}
    done = subprocess.run([*TOWPATH, *words], cwd=home, env=environ, capture_output=True, text=True, check=False)
    told = done.stdout + done.stderr
    assert "Traceback" not in told
    assert done.returncode == code, told
    return told


def fill(home: Path) -> Path:
    """A file that takes all room there is."""
    file = home.parent / "state/ballast"
    with suppress(OSError), file.open("wb", buffering=0) as ballast:
        while True:
            ballast.write(b"x" * 4096)
    return file


@pytest.mark.parametrize("step", ["big", "folder", "chatty"])
def test_a_step_for_which_there_is_no_room_is_told(home, disk, step):
    disk(8)
    declared(home, "small", step)
    told = towpath(home, "run", code=1)
    assert SEE_DISK in told
    assert told.count("mend:") == 1
    assert list((home.parent / "state/store/tmp").iterdir()) == []
    disk(64)
    towpath(home, "verify", "ledger")
    assert "1 of them reused" in towpath(home, "run")


def test_what_a_step_takes_may_find_no_room_either(home, disk):
    declared(home, "folder")
    towpath(home, "run")
    (home / "pipeline.py").write_text(CODE + "\ndef last(folder: Path):\n    return sum(one.stat().st_size for one in folder.iterdir())\n")
    declared(home, "last")
    fill(home)
    told = towpath(home, "run", code=1)
    assert SEE_DISK in told


def test_a_run_on_a_full_disk_is_told_and_the_next_one_goes_on(home):
    declared(home, "small", "big")
    ballast = fill(home)
    told = towpath(home, "run", code=1)
    assert SEE_DISK in told
    assert told.count("mend:") == 1
    ballast.unlink()
    assert "1 of them reused" in towpath(home, "run")
    towpath(home, "verify", "ledger")
