"""What a server is told to serve."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from towpath.digest import Digest


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A version and the digest of its package manifest."""

    version: int
    digest: Digest


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """What one environment serves, as of a position of the ledger."""

    environment: str
    position: int  # of the ledger when it was folded
    champion: Served | None = None
    challenger: Served | None = None
    release: int = 0  # 0: none is going on
    stage: int = 0
    share: float = 0.0  # the challenger's part of the requests, 0 to 1
    shadow: bool = False  # the challenger gets a copy of every request and answers none
    salt: str = ""  # of the release: with the prediction id it decides who gets the challenger
    deadline_s: float = 0.25  # the challenger's time for one request; then the champion answers


Source = Callable[[], Assignment]
"""Asked every few tenths of a second, in a thread of its own. While it raises, the server keeps to the last assignment
it knows, and says so in its status."""
