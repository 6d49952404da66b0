"""The store: bytes under their digest, executions under their fingerprint."""

from towpath.store.port import Brings, Execution, Store

__all__ = ["Brings", "Execution", "Store"]
