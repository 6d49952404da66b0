"""The store: bytes under their digest, executions under their fingerprint."""

from towpath.store.port import Execution, Store

__all__ = ["Execution", "Store"]
