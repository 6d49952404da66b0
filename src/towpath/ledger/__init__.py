"""The ledger: the append-only, hash-chained list of all events."""

from towpath.ledger.check import Checked, Fault, verify
from towpath.ledger.entries import Entry, entry
from towpath.ledger.port import Head, Ledger, Record

__all__ = ["Checked", "Entry", "Fault", "Head", "Ledger", "Record", "entry", "verify"]
