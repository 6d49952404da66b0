"""Wheels of what no index has, as pip itself installs them."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import towpath
from towpath.errors import UsageError
from towpath.pipeline import wheels

HEAD = "Metadata-Version: 2.1\nName: Barge_Parts\nVersion: 1.2\nRequires-Dist: numpy\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Barge_Parts, as it is installed from a folder."""
    folder = tmp_path / "site"
    told = folder / "Barge_Parts-1.2.dist-info"
    told.mkdir(parents=True)
    monkeypatch.syspath_prepend(str(folder))
    (told / "METADATA").write_text(HEAD)
    (told / "WHEEL").write_text("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    (told / "direct_url.json").write_text('{"dir_info": {}, "url": "file:///barges"}')
    (told / "entry_points.txt").write_text("[console_scripts]\nbarge = barges.parts:main\n")
    (folder / "barges").mkdir()
    (folder / "barges/__init__.py").write_text("")
    (folder / "barges/parts.py").write_text("def main():\n    print('a barge')\n")
    listed = [*folder.rglob("*")]
    (told / "RECORD").write_text("".join(f"{file.relative_to(folder)},,\n" for file in listed if file.is_file()) + "../../bin/barge,,\n")
    return folder


def installed(wheel: wheels.Wheel, folder: Path) -> Path:
    (folder / wheel.name).write_bytes(wheel.content)
    words = ["install", "--quiet", "--no-index", "--no-deps", "--target", folder / "there", folder / wheel.name]
    subprocess.run([sys.executable, "-m", "pip", *map(str, words)], check=True)
    return folder / "there"


def test_a_wheel_has_the_modules_and_commands_that_are_installed(site: Path, tmp_path: Path) -> None:
    found = wheels.local()["barge-parts"]
    wheel = wheels.wheel(found)
    assert wheel.name == "barge_parts-1.2-py3-none-any.whl"
    assert wheels.wheel(found) == wheel
    there = installed(wheel, tmp_path)
    assert (there / "barges/parts.py").read_text() == (site / "barges/parts.py").read_text()
    said = subprocess.run([there / "bin/barge"], env={"PYTHONPATH": str(there)}, capture_output=True, text=True, check=True)
    assert said.stdout == "a barge\n"
    (known,) = metadata.distributions(path=[str(there)])
    assert (known.version, known.requires) == ("1.2", ["numpy"])


def test_of_what_is_edited_where_it_lies_the_modules_as_they_are(site: Path, tmp_path: Path) -> None:
    told = site / "Barge_Parts-1.2.dist-info"
    (told / "direct_url.json").write_text('{"dir_info": {"editable": true}, "url": "file:///barges"}')
    with pytest.raises(UsageError, match=r"Barge_Parts 1.2 is installed to be edited in file:///barges"):
        wheels.wheel(wheels.local()["barge-parts"])
    (told / "top_level.txt").write_text("barges\n")
    (site / "barges/parts.py").write_text("EDITED = True\n")
    there = installed(wheels.wheel(wheels.local()["barge-parts"]), tmp_path)
    assert (there / "barges/parts.py").read_text() == "EDITED = True\n"


def test_of_towpath_what_runs_here(tmp_path: Path) -> None:
    assert "towpath" not in wheels.local()
    there = installed(wheels.of_towpath(), tmp_path)
    here = Path(towpath.__file__).parent
    names = {str(file.relative_to(here)) for file in here.rglob("*") if file.is_file() and "__pycache__" not in file.parts}
    assert {str(file.relative_to(there / "towpath")) for file in (there / "towpath").rglob("*.*") if file.suffix != ".pyc"} == names
