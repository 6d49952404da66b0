"""Child processes of the loop. They die with their parent, whatever kills it, and write to a log of their own."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def start(
    arguments: Sequence[str], log: Path, environ: Mapping[str, str], *, keep: Sequence[int] = (), cwd: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start ``towpath ARGUMENTS`` as a child; what it prints goes to ``log``.

    Args:
        keep: file descriptors that the child inherits (a lock that it is to hold).
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "towpath", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=dict(environ),
            cwd=cwd,
            pass_fds=tuple(keep),
            preexec_fn=dying_with(os.getpid()),
        )


def dying_with(parent: int) -> Callable[[], None]:
    """What a child of ``parent`` does before it begins, so that it dies with it; it touches nothing that a thread could hold."""

    def die_with_parent() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the request above was made
            os.kill(os.getpid(), signal.SIGKILL)

    return die_with_parent


def stop(child: subprocess.Popen[bytes], *, patience_s: float = 15.0) -> None:
    """Ask a child to end, and end it when it does not."""
    if child.poll() is None:
        child.terminate()
    try:
        child.wait(patience_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
