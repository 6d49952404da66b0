"""The journal: every prediction served, and its label when that arrives."""

from towpath.journal.port import Batch, Journal, Label, News, Scored

__all__ = ["Batch", "Journal", "Label", "News", "Scored"]
