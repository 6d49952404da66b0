"""The contract, on a cluster of two nodes; collected by test_executors_ray.py only, in a network of its own."""

from __future__ import annotations

import pytest
import ray
from ray.cluster_utils import Cluster

from towpath import stores
from towpath.executors.node import Home
from towpath.executors.ray import RayExecutor
from towpath.store.local import LocalStore
from towpath.testing import WorkersContract

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module", autouse=True)
def cluster():
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "object_store_memory": 80_000_000})
    cluster.add_node(num_cpus=2, object_store_memory=80_000_000)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    yield cluster
    ray.shutdown()
    cluster.shutdown()


class TestSharedFolder(WorkersContract):
    @pytest.fixture
    def open_store(self, tmp_path):
        return lambda: LocalStore(tmp_path / "home/store")

    @pytest.fixture
    def open_executor(self, open_store, tmp_path):
        return lambda cores: RayExecutor(Home(str(tmp_path), str(tmp_path / "home"), None), open_store())


class TestRemote(WorkersContract):
    """The nodes use nothing of the disk here but the remote, which is a bucket in truth."""

    @pytest.fixture
    def remote(self, tmp_path):
        (tmp_path / "remote").mkdir()
        return str(tmp_path / "remote")

    @pytest.fixture
    def open_store(self, tmp_path, remote):
        return lambda: stores.near(tmp_path, tmp_path / "home", remote)

    @pytest.fixture
    def open_executor(self, open_store, tmp_path, remote):
        return lambda cores: RayExecutor(Home(str(tmp_path), str(tmp_path / "home"), remote), open_store())
