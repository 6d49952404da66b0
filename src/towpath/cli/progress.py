"""A line on a terminal that tells how far long work is, until it is done; nothing of it where nobody looks."""

from __future__ import annotations

import shutil
import sys
from types import TracebackType

from towpath.clock import machine_s
from towpath.quantities import size_in_words

AFTER_S, EVERY_S = 0.5, 0.1  # short work shows no line, and drawing one must not slow long work down


class Lines:
    """What is told stays, a line each; what is shown is the last line, until there is something else. ``quiet``: neither."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet, self._shows = quiet, not quiet and sys.stderr.isatty()
        self._shown = False

    def tell(self, text: str) -> None:
        """A line that stays."""
        self.show("")
        if not self._quiet:
            print(text, file=sys.stderr)

    def show(self, text: str) -> None:
        """A line that the next takes away; none where it is empty."""
        if self._shows and (text or self._shown):
            fits = text[: shutil.get_terminal_size().columns - 1]
            print(f"\r{fits}\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = bool(text)


class Bar:
    """Bytes done of bytes to do, with the rate. On the error stream, and only where that is a terminal."""

    def __init__(self, what: str, *, shown: bool = True) -> None:
        self._what, self._shown = what, shown and sys.stderr.isatty()
        self._began = self._drawn = machine_s()

    def __enter__(self) -> Bar:
        return self

    def to(self, done: int, total: int, words: str) -> None:
        """It is this far."""
        now = machine_s()
        if not self._shown or now - self._began < AFTER_S or now - self._drawn < EVERY_S:
            return
        self._drawn = now
        share = done / total if total else 1.0
        rate = size_in_words(done / (now - self._began))
        print(f"\r{self._what}  {share:4.0%}  {words}, {size_in_words(done)}, {rate}/s\x1b[K", end="", file=sys.stderr, flush=True)

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        if self._drawn != self._began:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
