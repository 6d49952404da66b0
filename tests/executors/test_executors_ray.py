"""A Ray cluster of two nodes. Ray listens to whoever reaches the machine: so its tests run in a network of their own, by inside_*.py."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ALONE = ["unshare", "--net", "--map-root-user", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
INSIDE = sorted(one.name for one in Path(__file__).parent.glob("inside_*.py"))


@pytest.mark.parts
@pytest.mark.timeout(900)
@pytest.mark.parametrize("file", INSIDE)
def test_on_a_cluster(file: str) -> None:
    if not find_spec("ray"):
        pytest.skip("pip install --constraint constraints.txt --group parts")
    if subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("`unshare --net --map-root-user` does not work here: run as root, or allow user namespaces")
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", str(Path(__file__).with_name(file))]
    done = subprocess.run(
        [*ALONE, sys.executable, *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_is_something_to_run() -> None:
    assert len(INSIDE) == 4
