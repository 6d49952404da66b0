"""A run looks where a library may have been edited since, as no installation tells of that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.loop import little

PIPELINE = little.PIPELINE.replace("\n\ndef rows", "from edited_lengths import LONG\nfrom loose_lengths import FAR\n\n\ndef rows").replace(
    'drop_nulls("distance")', 'drop_nulls("distance").filter(pl.col("distance") < LONG + FAR)'
)
RECORD = {"METADATA": "Name: edited-lengths\nVersion: 1.0\n", "RECORD": ""}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one run, beside one library that is installed to be edited and one that is on the path alone."""
    home = tmp_path_factory.mktemp("libraries")
    little.make(home / "little", pipeline=PIPELINE, months=1)
    for name, text in {"edited/src/edited_lengths.py": "LONG = 80\n", "loose/loose_lengths.py": "from more import FAR\n"}.items():
        (home / name).parent.mkdir(parents=True)
        (home / name).write_text(text)
    (home / "loose/more.py").write_text("FAR = 10\n")
    assert ran(home)["outcome"] == "registered"
    return home


def ran(home: Path) -> dict[str, str]:
    record = home / "site/edited_lengths-1.0.dist-info"
    record.mkdir(parents=True, exist_ok=True)
    told = {"url": (home / "edited").as_uri(), "dir_info": {"editable": True}}
    for name, text in {**RECORD, "direct_url.json": json.dumps(told)}.items():
        if not (record / name).exists():
            (record / name).write_text(text)
    path = os.pathsep.join(map(str, (home / "site", home / "edited/src", home / "loose", *filter(None, sys.path))))
    command = [sys.executable, "-m", "towpath", "run", "--json"]
    done = subprocess.run(command, cwd=home / "little", env={**little.ENVIRON, "PYTHONPATH": path}, capture_output=True, text=True)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("file", "text"), [("edited/src/edited_lengths.py", "LONG = 10\n"), ("loose/more.py", "FAR = -2\n")])
def test_what_a_library_s_edit_changes_is_made_again(first: Path, file: str, text: str) -> None:
    (first / file).write_text(text)
    again = ran(first)
    assert again["outcome"] != "unchanged", again["because"]
