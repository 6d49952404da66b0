"""The digest of a table's content is the same whichever PyArrow made it and whichever Polars read it, today and in years."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "golden_digests.json").read_text())


def digests(python):
    environ = {**os.environ, "PYTHONPATH": str(HERE.parents[1] / "src")}
    done = subprocess.run([python, HERE / "golden_tables.py"], capture_output=True, text=True, env=environ, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_digests_of_every_type_are_what_they_always_were():
    assert digests(sys.executable) == GOLDEN


@pytest.mark.parts
@pytest.mark.timeout(400)
@pytest.mark.parametrize(("polars", "pyarrow"), [("2.0.0", "22.0.0"), ("2.1.0", "26.0.1")])
def test_they_are_the_same_with_other_versions(tmp_path, polars, pyarrow):
    venv.create(tmp_path / "other", with_pip=True)
    python = tmp_path / "other" / "bin" / "python"
    needed = [f"polars=={polars}", f"pyarrow=={pyarrow}", "numpy", "blake3", "msgspec"]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *needed], check=True)
    assert digests(python) == GOLDEN
