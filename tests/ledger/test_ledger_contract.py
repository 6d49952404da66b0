"""Both ledgers keep the contract; what only the SQLite file can promise is in test_ledger_sqlite.py."""

import pytest

from towpath.ledger.memory import MemoryLedger
from towpath.ledger.sqlite import SqliteLedger
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
