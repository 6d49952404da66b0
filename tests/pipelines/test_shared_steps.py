"""Two projects share steps of one distribution, which is installed into an environment of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

import towpath

SHARED = Path(__file__).parents[2] / "examples" / "shared"
Run = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has all that this one has; what is installed there is not here."""
    home = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    site = next((home / "lib").glob("python*")) / "site-packages"
    (site / "here.pth").write_text(f"{Path(towpath.__file__).parents[1]}\n{sysconfig.get_path('purelib')}\n")
    return home / "bin/python"


@pytest.fixture
def install(python: Path, tmp_path: Path) -> Callable[..., None]:
    """Installs the distribution, with changes, under a version."""
    source = tmp_path / "acme-steps"
    shutil.copytree(SHARED / "acme-steps", source)

    def install(version: str, before: str = "", after: str = "") -> None:
        for file, old, new in (("pyproject.toml", "1.0", version), ("src/acme_steps/flights.py", before, after)):
            text = (SHARED / "acme-steps" / file).read_text()
            (source / file).write_text(text.replace(old, new) if old else text)
        shutil.rmtree(source / "build", ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, "--no-index", "--no-build-isolation", "--no-deps", "--upgrade", source], check=True)

    return install


@pytest.fixture
def run(python: Path, tmp_path: Path) -> Run:
    """Runs a command of Towpath in a project."""
    for name in ("carriers", "airports"):
        shutil.copytree(SHARED / name, tmp_path / name)
        (tmp_path / name / ".gitignore").write_text(".towpath/\n")
        for words in (["init", "--quiet"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "x"]):
            subprocess.run(["git", *words], cwd=tmp_path / name, check=True)

    def run(name: str, *words: str) -> tuple[int, str]:
        done = subprocess.run([python, "-m", "towpath", *words], cwd=tmp_path / name, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.mark.timeout(240)
def test_a_new_version_executes_what_depends_on_it_in_both(run: Run, install: Callable[..., None], tmp_path: Path) -> None:
    code, told = run("carriers", "run")
    assert code == 1
    assert "towpath.yaml:5: no distribution with the module acme_steps is installed beside Towpath" in told
    assert "`pip install acme-steps`" in told

    install("1.0")
    code, told = run("carriers", "run")
    assert code == 0, told
    code, told = run("airports", "run")
    assert code == 0, told
    assert "4 steps, 0 of them reused" in told
    assert "reused: clean, late, worst" in run("carriers", "run")[1]

    install("1.1", "Flights, as", "All flights, as")
    told = run("carriers", "run")[1]
    assert "step clean:" in told
    assert "step late:" in told
    assert "reused: worst" in told
    told = run("airports", "run")[1]
    assert "reused: days, table" in told
    why = json.loads(run("airports", "why", "step", "late", "--json")[1])
    assert why["layers"] == ["distributions"]
    assert [(change["name"], change["before"], change["after"]) for change in why["changes"]] == [("acme-steps", "1.0", "1.1")]
    assert why["weaknesses"] == []

    install("1.2", ".round(3)", ".round(1)")
    told = run("carriers", "run")[1]
    assert "3 steps, 0 of them reused" in told
    told = run("airports", "run")[1]
    assert "step table:" in told
    assert "reused: days" in told

    for wrong, words in (
        ("acme_steps:claen", ("no function in acme_steps called 'claen'", "did you mean clean or late?")),
        ("acme_steps.flihgts:clean", ("no module called 'acme_steps.flihgts'", "did you mean acme_steps.flights or acme_steps?")),
        ("acme_step:clean", ("no distribution with the module acme_step is installed", "did you mean acme_steps?")),
        ("acme_steps", ("towpath.yaml:5", "`steps.clean.use` cannot be 'acme_steps'")),
    ):
        text = (SHARED / "carriers/towpath.yaml").read_text().replace("acme_steps:clean", wrong)
        (tmp_path / "carriers/towpath.yaml").write_text(text)
        code, told = run("carriers", "run")
        assert code in (1, 2)
        for part in words:
            assert part in told
