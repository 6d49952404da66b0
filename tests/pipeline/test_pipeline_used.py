"""What cannot be known of a function of a distribution is named as it is of the project's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from towpath.pipeline.code.listed import CLOCK, READS, STATE
from towpath.pipeline.code.weaknesses import in_words
from towpath.pipeline.used import used_weaknesses


def test_the_code_of_an_installed_function_is_walked_in_its_package_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "walked_steps").mkdir()
    (tmp_path / "walked_steps/__init__.py").write_text("from beside_steps import noted\n\nSEEN = []\n")
    (tmp_path / "walked_steps/clean.py").write_text(
        "from . import SEEN, noted\nfrom .times import now\n\n\n"
        "def clean(flights):\n    SEEN.append(1)\n    noted()\n    return open('x'), now()\n"
    )
    (tmp_path / "walked_steps/times.py").write_text("import time\n\n\ndef now():\n    return time.time()\n")
    (tmp_path / "beside_steps.py").write_text("def noted():\n    return open('y')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert used_weaknesses("walked_steps.clean", "clean") == (
        f"walked_steps/clean.py:6: {in_words('SEEN', STATE)}",
        f"walked_steps/clean.py:8: {in_words('open', READS)}",
        f"walked_steps/times.py:5: {in_words('time.time', CLOCK)}",
    )
