"""Both stores keep the contract; what only a folder can promise is in test_store_local.py."""

import pytest

from towpath.store.local import LocalStore
from towpath.store.memory import MemoryStore
from towpath.testing import StoreContract


def flip(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


class TestMemory(StoreContract):
    @pytest.fixture
    def store(self):
        return MemoryStore()

    @pytest.fixture
    def open_again(self, store):
        return lambda: store

    @pytest.fixture
    def damage(self, store):
        return lambda digest: store.objects.update({digest: flip(store.objects[digest])})


class TestLocal(StoreContract):
    @pytest.fixture
    def open_again(self, tmp_path):
        return lambda: LocalStore(tmp_path / "store")

    @pytest.fixture
    def damage(self, tmp_path):
        def change(digest):
            path = LocalStore(tmp_path / "store").path(digest)
            path.chmod(0o644)
            path.write_bytes(flip(path.read_bytes()))

        return change
