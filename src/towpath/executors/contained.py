"""The first process in a container: begins a worker that is spoken to through stdin and stdout, and ends it when nobody speaks any more.

``python -m towpath.executors.contained ROOT HOME``: the project's folders. Killing the client of a container ends nothing inside; but
then nobody holds the other end of stdin.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress

from towpath.executors.process import guarded


def main(root: str, home: str) -> int:
    """Wait for the end of the worker, or of whoever speaks to it; the exit code, as shells give it."""
    asked, answered = os.dup(0), os.dup(1)
    command = [sys.executable, "-m", "towpath.executors.worker", root, home, "", str(asked), str(answered)]
    worker = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, pass_fds=(asked, answered), start_new_session=True)
    alive = guarded(worker.pid)  # buildah kills this process itself
    for pipe in (0, 1, answered):
        os.close(pipe)
    waiting = select.poll()
    waiting.register(asked, 0)  # that it was hung up is told unasked
    waiting.register(os.pidfd_open(worker.pid), select.POLLIN)
    waiting.poll()
    with suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)
    code = worker.wait()
    os.write(alive, b"\n")
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
