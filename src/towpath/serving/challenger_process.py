"""The challenger's own process: ``python -m towpath.serving.challenger_process FD PARENT``. It answers what the worker asks."""

from __future__ import annotations

import signal
import socket
import sys

from towpath.errors import TowpathError
from towpath.formats import BadColumn, check_columns
from towpath.release.policy import arm
from towpath.serving.answers import Told
from towpath.serving.frames import Ask, Inbox, Load, Loaded, Reply, framed, to_child
from towpath.serving.model import Model, loaded
from towpath.serving.processes import die_with
from towpath.serving.settings import Fault
from towpath.store.memory import MemoryStore


class Process:
    """One challenger: loads one package, then scores."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._model: Model | None = None
        self._fault: Fault | None = None

    def run(self) -> None:
        """Answer until the worker hangs up."""
        inbox = Inbox()
        while data := self._connection.recv(1 << 20):
            for body in inbox.take(data):
                self._connection.sendall(framed(self._answer(to_child.decode(body))))

    def _answer(self, message: Load | Ask) -> Loaded | Reply:
        match message:
            case Load():
                refused = self._load(message)
                return Loaded(refused, self._model.classes if self._model else ())
            case Ask():
                return Reply(message.number, self._score(message))

    def _load(self, load: Load) -> str:
        store = MemoryStore()
        for data in load.objects:
            store.put(data)
        self._fault = load.fault
        try:
            self._model = loaded(store, load.digest)
        except TowpathError as fault:
            return str(fault)
        except Exception as fault:  # the border to the user's `features` code, which may raise anything when it is imported or called
            return f"{type(fault).__name__}: {fault}"
        return ""

    def _score(self, ask: Ask) -> Told:
        if self._model is None:
            return Told("error", "no version is loaded", 0.0)
        if self._fault is not None and _strikes(self._fault, ask):
            return Told("error", "planted fault", 0.0)
        try:
            check_columns(self._model.schema, ask.columns)  # the request was checked for the champion, whose columns may be others
        except BadColumn as fault:
            return Told("error", str(fault), 0.0)
        return self._model.score(ask.columns)


def _strikes(fault: Fault, ask: Ask) -> bool:
    return ask.shadow == (fault.stage == "shadow") and arm("planted fault", ask.id, fault.share)


def main(arguments: list[str]) -> None:
    """Be the challenger's process."""
    # a signal to the whole group (Ctrl-C) is the worker's affair: it drains, then hangs up
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    descriptor, parent = map(int, arguments)
    die_with(parent)
    with socket.socket(fileno=descriptor) as connection:
        Process(connection).run()


if __name__ == "__main__":
    main(sys.argv[1:])
