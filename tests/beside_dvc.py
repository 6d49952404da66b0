"""The real DVC, for tests that are marked ``parts``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SAID = {"PATH", "HOME", "LANG"}
Dvc = Callable[..., str]


@pytest.fixture(scope="session")
def program() -> str:
    """The real DVC, with its support of S3; kept in the folder for builds, as installing it takes most of a minute."""
    home = Path(__file__).parents[1] / "build" / "peers" / "dvc-s3"
    if not (home / "made").exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([home / "bin/python", "-m", "pip", "install", "--quiet", "dvc==3.67.1", "dvc-s3"], check=True)
        (home / "made").touch()
    return str(home / "bin" / "dvc")


@pytest.fixture
def dvc(program: str) -> Dvc:
    """Runs one command of DVC in a folder."""

    def run(folder: Path, *words: str, environ: dict[str, str] | None = None) -> str:
        plain = {name: value for name, value in os.environ.items() if name in SAID} | {"DVC_NO_ANALYTICS": "1", **(environ or {})}
        done = subprocess.run([program, *words], cwd=folder, env=plain, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
