"""What people read of the ledger."""

from towpath.report.words import in_words

__all__ = ["in_words"]
