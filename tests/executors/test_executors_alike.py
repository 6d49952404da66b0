"""A node that has another version than the machine where the run began executes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from towpath.errors import UsageError
from towpath.executors.alike import Surroundings, around, check
from towpath.pipeline.code.reach import Project
from towpath.pipeline.work import Call, Gather, Use


@pytest.fixture
def code(tmp_path: Path) -> Project:
    (tmp_path / "pipeline.py").write_text("import numpy as np\n\n\ndef rows():\n    return np.zeros(3)\n\n\ndef other():\n    return 1\n")
    return Project(tmp_path, "pipeline.py")


def test_the_same_machine_is_like_itself(code: Project) -> None:
    for work in (Call("rows"), Use("numpy.linalg", "norm"), Gather()):
        check(around(work, code))


def test_what_a_step_reaches_counts_and_nothing_else(code: Project) -> None:
    assert {"numpy", "polars", "python", "towpath"} <= around(Call("rows"), code).versions.keys()
    assert "numpy" not in around(Call("other"), code).versions


@pytest.mark.parametrize("name", ["numpy", "python", "towpath"])
def test_another_version_is_refused_with_both(code: Project, name: str) -> None:
    here = around(Call("rows"), code)
    other: Surroundings = replace(here, versions={**here.versions, name: "0.1.2"})
    with pytest.raises(UsageError, match=rf"{name} is {here.versions[name]} there, and 0\.1\.2 where the run began") as told:
        check(other)
    assert "install the same on every node" in told.value.mend
