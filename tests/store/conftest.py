"""Buckets of every kind, for what must hold over all of them."""

import pytest
from tests.store.remotes import bucket_at

from towpath.store.remote.memory import MemoryBucket

SERVERS = [pytest.param(name, marks=pytest.mark.parts) for name in ("seaweedfs", "moto")]


@pytest.fixture(params=["memory", "obstore", "folder", *SERVERS])
def every_bucket(request, tmp_path, monkeypatch):
    if request.param == "memory":
        return MemoryBucket()
    if request.param in ("obstore", "folder"):
        return bucket_at("memory:///" if request.param == "obstore" else str(tmp_path / "shared"))
    server = request.getfixturevalue(request.param)
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    return bucket_at(server.new())
