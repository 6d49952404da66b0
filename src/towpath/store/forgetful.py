"""A store that remembers no execution: what is made again, to be compared, is neither taken from the cache nor kept in it."""

from __future__ import annotations

from towpath.digest import Digest
from towpath.store.port import Execution, Store


class ForgetfulStore:
    """The objects of ``store``, without its executions."""

    def __init__(self, store: Store) -> None:
        self.put, self.put_file, self.sync = store.put, store.put_file, store.sync
        self.get, self.get_file = store.get, store.get_file
        self.has, self.size, self.missing = store.has, store.size, store.missing

    def remember(self, execution: Execution) -> None:
        """Nothing."""

    def recall(self, fingerprint: Digest) -> Execution | None:
        """None."""
        return None
