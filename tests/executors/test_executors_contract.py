"""Both executors of this machine keep the contract."""

import os

import pytest

from towpath.executors.inline import InlineExecutor
from towpath.executors.local import LocalExecutor
from towpath.project_file import load
from towpath.store.local import LocalStore
from towpath.testing import ExecutorContract, WorkersContract

YAML = "name: contract\npipeline: towpath.yaml\nsteps: {text: {}}\n"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "towpath.yaml").write_text(YAML)
    return load(tmp_path, {})


class OnThisDisk:
    @pytest.fixture
    def open_store(self, project):
        return lambda: LocalStore(project.home / "store")


class TestInline(OnThisDisk, ExecutorContract):
    @pytest.fixture
    def open_executor(self, open_store, tmp_path):
        return lambda slots: InlineExecutor(open_store(), tmp_path / "lent")

    def test_what_was_not_begun_is_dropped(self, bench):
        executor = bench.executor()
        executor.submit(bench.task("marks", place=str(bench.place)))
        executor.close()
        assert executor.wait() == []
        assert list(bench.place.iterdir()) == []


class TestLocal(OnThisDisk, WorkersContract):
    @pytest.fixture
    def open_executor(self, project):
        return lambda slots: LocalExecutor(project, os.environ, slots=slots)
