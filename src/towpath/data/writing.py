"""Files that get their name when they are whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from towpath.errors import Unavailable


@contextmanager
def whole(final: Path) -> Iterator[Path]:
    """Gives a path beside ``final`` to write to, which takes its place at the end; where that fails, all is as it was before.

    Raises:
        Unavailable: nothing can be written there.
    """
    half = final.with_name(f".{final.name}.{os.getpid()}.part")
    try:
        yield half
        half.replace(final)
    except OSError as fault:
        mend = "look at the disk's free space, at who may write there, and whether the folder is there"
        raise Unavailable(f"{final} cannot be written: {fault.strerror or fault}", mend=mend) from fault
    finally:
        half.unlink(missing_ok=True)


def write(final: Path, text: str) -> None:
    """Write a text, whole or not at all; raises as :func:`whole`."""
    with whole(final) as half:
        half.write_text(text, encoding="utf-8")
