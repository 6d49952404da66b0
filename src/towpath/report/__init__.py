"""What people read of the ledger."""

from towpath.words import in_words

__all__ = ["in_words"]
