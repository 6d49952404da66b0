"""What an executor may do wrong is told as it is, and hides nothing."""

from __future__ import annotations

import pytest

from towpath.errors import Unavailable, UsageError
from towpath.executors.inline import InlineExecutor
from towpath.pipeline.code.reach import Project
from towpath.pipeline.engine import Setting, make
from towpath.pipeline.errors import StepFailed
from towpath.pipeline.executor import Resources
from towpath.pipeline.graph import Step
from towpath.store.memory import MemoryStore


class Unsure(InlineExecutor):
    """Never knows whether what it made is durable."""

    def sync(self):
        raise Unavailable("the disk is full", mend="make room")


class Small(InlineExecutor):
    """Has room for nothing."""

    has = Resources(cpus=0)

    def room(self, needs):
        return False


def made(tmp_path, code, kind):
    (tmp_path / "pipeline.py").write_text(code)
    store = MemoryStore()
    setting = Setting(
        code=Project(tmp_path, "pipeline.py"), pipeline="pipeline.py", store=store, seed=lambda step: 0, logs=tmp_path / "logs"
    )
    return make([Step.of("rows", [])], {}, setting, kind(store, tmp_path / "lent"))


def test_a_step_that_failed_is_told_though_the_disk_is_full_too(tmp_path):
    with pytest.raises(StepFailed, match="no rows"):
        made(tmp_path, "def rows():\n    raise ValueError('no rows')\n", Unsure)


def test_what_is_not_durable_is_not_made(tmp_path):
    with pytest.raises(Unavailable, match="the disk is full"):
        made(tmp_path, "def rows():\n    return 1\n", Unsure)


def test_a_step_that_never_gets_room_is_told_and_not_left_out(tmp_path):
    with pytest.raises(UsageError, match="there is no room for step 'rows'"):
        made(tmp_path, "def rows():\n    return 1\n", Small)
