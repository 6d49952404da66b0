"""Peers, each in an environment of its own below ``build/peers``, so that none disturbs ours or another's."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HOME = Path("build/peers")


def programs(name: str, *distributions: str) -> Path:
    """The folder of programs of an environment with these distributions; it is made when it is not there."""
    home = (HOME / name).absolute()
    if not (home / "made").exists():
        print(f"making {home} with {', '.join(distributions)}", file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        pip = [home / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, *distributions], check=True)
        (home / "made").touch()
    return home / "bin"
