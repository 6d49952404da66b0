"""A worker that stops waits for the threads of its HTTP server, which outlive it by a moment."""

from __future__ import annotations

import _thread
import asyncio
import threading
import time

from towpath.serving.run import ended, native_threads


def test_threads_of_others_are_waited_for_until_they_end() -> None:
    before, release = native_threads(), threading.Lock()
    release.acquire()
    _thread.start_new_thread(release.acquire, ())  # one that `threading` does not know, as a library's own
    theirs = native_threads() - before
    assert len(theirs) == 1
    assert not asyncio.run(ended(theirs, 0.02))
    release.release()
    assert asyncio.run(ended(theirs, 10.0))


def test_python_s_own_threads_are_not_waited_for() -> None:
    before, stop = native_threads(), threading.Event()
    own = threading.Thread(target=stop.wait)
    own.start()
    begun = time.monotonic()
    assert asyncio.run(ended(native_threads() - before, 10.0))
    assert time.monotonic() - begun < 5
    stop.set()
    own.join()
