"""Commands are run as a person runs them: words in, words and an exit code out."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.cli.words import PIPELINE

from towpath.cli import main


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(capfd, monkeypatch):
    """Runs a command in this process."""

    def call(*words, cwd=None):
        with monkeypatch.context() as patch:
            if cwd is not None:
                patch.chdir(cwd)
            code = main([str(word) for word in words])
        out, err = capfd.readouterr()
        return Said(code, out, err)

    return call


@pytest.fixture
def process():
    """Runs a command in a process of its own."""

    def call(*words, cwd=None, **environ):
        done = subprocess.run(
            [sys.executable, "-m", "towpath", *map(str, words)],
            cwd=cwd,
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture
def project(tmp_path):
    """A project on five rows, without a repository."""
    (tmp_path / "rows.csv").write_text("a,b\n1,0\n2,1\n3,0\n4,1\n5,1\n")
    (tmp_path / "towpath.yaml").write_text("name: small\ndata: {rows: rows.csv}\nmodel: {task: binary, rows: rows, label: b}\n")
    return tmp_path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of these two steps in a repository, in whose folder the test goes on."""
    made = tmp_path / "home"
    made.mkdir()
    (made / "towpath.yaml").write_text("name: words\npipeline: pipeline.py\nsteps: {longest: {}}\n")
    (made / ".gitignore").write_text(".towpath\n")
    (made / "pipeline.py").write_text(PIPELINE)
    for words in (["init", "--quiet"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "start"]):
        subprocess.run(["git", *words], cwd=made, check=True)
    monkeypatch.chdir(made)
    return made
