"""Steps that several projects share."""

from acme_steps.flights import clean, late

__all__ = ["clean", "late"]
