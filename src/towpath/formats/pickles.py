"""A pickle that is the same for the same object, whatever else the process has done.

Whether two equal texts in an object are one object in memory hangs on which was made first, and pickle writes the second of the two
as a reference only if they are. Here every text is written in full, wherever it stands.
"""

from __future__ import annotations

import pickle
import pickletools
from collections.abc import Iterator
from typing import Any

_PROTOCOL = 5
_TEXTS = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}


def dumps(value: Any) -> bytes:
    """The pickle of a value. Raises as ``pickle.dumps``."""
    return b"".join(_rewritten(pickle.dumps(value, protocol=_PROTOCOL)))


def _rewritten(data: bytes) -> Iterator[bytes]:
    memo: list[int | bytes] = []  # of what was remembered: its new number, or the text
    numbered, text = 0, b""  # the operation just before, if it was a text
    operations = list(pickletools.genops(data))
    ends = [place for _, _, place in operations[1:]] + [len(data)]
    for (operation, argument, place), end in zip(operations, ends, strict=True):
        raw = data[place or 0 : end]
        match operation.name:
            case "FRAME":  # as long as what it holds, which is another length now
                continue
            case "MEMOIZE" if text:
                memo.append(text)
            case "MEMOIZE":
                memo.append(numbered)
                numbered += 1
                yield raw
            case "BINGET" | "LONG_BINGET":
                yield _got(memo[int(argument or 0)])
            case _:
                yield raw
        text = raw if operation.name in _TEXTS else b""


def _got(remembered: int | bytes) -> bytes:
    if isinstance(remembered, bytes):
        return remembered
    return pickle.BINGET + bytes([remembered]) if remembered < 256 else pickle.LONG_BINGET + remembered.to_bytes(4, "little")
