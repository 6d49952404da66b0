"""A connection to a Ray cluster."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack, redirect_stdout
from importlib import import_module
from math import inf
from typing import Any

from towpath.errors import Unavailable

TRIES = 3  # a client server begins a process for each client, which a busy node may not manage in time
PATIENCE_S = 15.0  # for an answer, and for tasks to end that were cancelled


class Connection:
    """The one of this process: where there is one already, it is used and left open. ``ray`` is the library.

    Args:
        address: ``ray://host:port`` of a client server, ``host:port`` of a cluster of which this machine is a node, or ``auto`` for the one
            of which it is. None is begun here: Ray would listen to whoever reaches this machine.

    Raises:
        Unavailable: there is no cluster at that address.
    """

    def __init__(self, address: str = "auto") -> None:
        self.ray: Any = import_module("ray")
        self._stack = ExitStack()
        if not self.ray.is_initialized():
            _look(address)
            self._connect(address)
            self._stack.enter_context(redirect_stdout(sys.stderr))  # Ray prints what it sees of its nodes
            self._stack.callback(self.ray.shutdown)

    def _connect(self, address: str, tries: int = TRIES) -> None:
        try:
            self.ray.init(address=address, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, RuntimeError, ValueError) as fault:
            if tries > 1 and address.startswith("ray://"):
                self._connect(address, tries - 1)
            else:
                raise _nowhere(address, fault) from fault

    def end(self, refs: Sequence[Any]) -> None:
        """End tasks, with the processes that execute them."""
        for ref in refs:
            self.ray.cancel(ref, force=True)
        if refs:
            self.ray.wait(refs, num_returns=len(refs), timeout=PATIENCE_S)  # who lets go of a task too soon cancels nothing

    def ended(self, refs: Sequence[Any], patience_s: float = inf) -> list[Any]:
        """Those of some tasks that ended; waits for one, but no longer than that."""
        if not refs:
            return []
        self.ray.wait(refs, num_returns=1, timeout=None if patience_s == inf else patience_s)
        ready: list[Any] = self.ray.wait(refs, num_returns=len(refs), timeout=0)[0]
        return ready

    def close(self) -> None:
        """Let go of it."""
        self._stack.close()


def first_line(fault: Exception) -> str:
    """What an error says, without all that Ray adds."""
    return next((line.strip() for line in str(fault).splitlines() if line.strip()), "no message")


def _look(address: str) -> None:
    """Whether anybody listens there: Ray itself would ask for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE_S).close()
        except OSError as fault:
            raise _nowhere(address, fault) from fault


def _nowhere(address: str, fault: Exception) -> Unavailable:
    return Unavailable(
        f"there is no Ray cluster {'of which this machine is a node' if address == 'auto' else f'at {address}'}: {first_line(fault)}",
        mend="look whether it runs (`ray status` on one of its nodes), and name it: `executor: ray://HOST:10001`, or RAY_ADDRESS",
    )
