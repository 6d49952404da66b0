"""Every ledger keeps the contract; what only one of them can promise is in the file that bears its name."""

import pytest

from towpath.ledger.memory import MemoryLedger
from towpath.ledger.objects import ObjectLedger
from towpath.ledger.remembered import Remembered
from towpath.ledger.sqlite import SqliteLedger
from towpath.store.remote.cloud import CloudBucket
from towpath.store.remote.folder import FolderBucket
from towpath.testing import LedgerContract


class TestMemory(LedgerContract):
    @pytest.fixture
    def open_again(self):
        ledger = MemoryLedger()
        return lambda: ledger


class TestSqlite(LedgerContract):
    @pytest.fixture
    def open_again(self, tmp_path):
        return lambda: SqliteLedger(tmp_path / "ledger.sqlite")


class TestFolder(LedgerContract):
    @pytest.fixture
    def open_again(self, tmp_path):
        return lambda: ObjectLedger(FolderBucket(tmp_path))


class TestFolderWithAMemory(LedgerContract):
    @pytest.fixture
    def open_again(self, tmp_path):
        return lambda: ObjectLedger(FolderBucket(tmp_path / "shared"), remembered=Remembered(tmp_path / "known.jsonl"))


class TestObjectsInMemory(LedgerContract):
    @pytest.fixture
    def open_again(self):
        bucket = CloudBucket("memory:///")
        return lambda: ObjectLedger(bucket)


@pytest.mark.parts
class TestSeaweedfs(LedgerContract):
    @pytest.fixture
    def open_again(self, seaweedfs, monkeypatch):
        return in_bucket(seaweedfs, monkeypatch)


@pytest.mark.parts
class TestMoto(LedgerContract):
    @pytest.fixture
    def open_again(self, moto, monkeypatch):
        return in_bucket(moto, monkeypatch)


@pytest.mark.parts
class TestPostgres(LedgerContract):
    @pytest.fixture
    def open_again(self, postgres):
        from towpath.ledger.postgres import PostgresLedger

        url = postgres.schema()
        return lambda: PostgresLedger(url)


def in_bucket(server, monkeypatch):
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    url = server.new()
    return lambda: ObjectLedger(CloudBucket(url))
