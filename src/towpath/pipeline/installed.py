"""What is installed, by one digest that costs a listing of a few folders: where it is the same, nothing was installed or removed."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from towpath.digest import Digest, of_value

_MARKS = (".dist-info", ".egg-info", ".egg-link", ".pth")


def installed() -> Digest:
    """Digest of Python's version and of every distribution on the path, with the time at which it was put there.

    Installing the same version once more gives another digest: it says less often that all is the same, and never wrongly. An editable
    installation changes without it.
    """
    found: list[tuple[str, str, int]] = []
    for folder in dict.fromkeys(sys.path):
        with suppress(OSError):
            entries = (entry for entry in os.scandir(folder or ".") if entry.name.endswith(_MARKS))
            found += ((folder, entry.name, entry.stat().st_mtime_ns) for entry in entries)
    return of_value([sys.version, sys.platform, sorted(found)])
