"""What can go wrong between a trained object and a served answer."""

from __future__ import annotations

from towpath.errors import TowpathError, UsageError


class NotConvertible(TowpathError):
    """The trained object has no portable form: says which ``part`` of it, and for what ``reason``."""

    def __init__(self, part: str, reason: str, *, mend: str) -> None:
        self.part, self.reason = part, reason
        super().__init__(f"{part} has no portable (ONNX) form: {reason}", mend=mend)


class BadColumn(UsageError):
    """A frame or a request does not fit the schema: says which ``column`` and how."""

    def __init__(self, column: str, reason: str, *, mend: str) -> None:
        self.column, self.reason = column, reason
        super().__init__(f"column {column!r}: {reason}", mend=mend)
