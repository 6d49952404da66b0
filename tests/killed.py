"""Commands that are killed while they work: each is forked off a process that has loaded what it needs, and is killed at a moment
that is given in advance, so that no kill falls into starting Python or after the end."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

FORKS = """
import json, os, signal, sys, time
from importlib import import_module
from towpath.cli import main

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})


def work(words, told):
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    for stream in (1, 2):
        os.dup2(told, stream)
    code = main(words)
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(loaded[1], " ".join(sys.modules).encode())
    os._exit(code)


for line in sys.stdin:
    after_s, words = json.loads(line)
    loaded, told = os.pipe(), os.memfd_create("told")
    begin = time.monotonic()
    if not (child := os.fork()):
        work(words, told)
    os.close(loaded[1])
    if after_s is None:
        modules = b"".join(iter(lambda: os.read(loaded[0], 65536), b"")).decode().split()
    else:
        signal.sigtimedwait({signal.SIGCHLD}, after_s)
        os.kill(child, signal.SIGKILL)  # as it is not waited for yet, its number is still its own
        modules = []
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    took = time.monotonic() - begin
    signal.sigtimedwait({signal.SIGCHLD}, 0)
    print(json.dumps([code, took, os.pread(told, 100_000, 0).decode()]), flush=True)
    os.close(loaded[0])
    os.close(told)
    for name in modules:
        import_module(name)
    assert len(os.listdir("/proc/self/task")) == 1, "a process with threads must not fork"
"""


class Ended(NamedTuple):
    """How a command ended: its exit code (-9 where it was killed), after how many seconds, and what it said."""

    code: int
    took_s: float
    said: str


class Forks:
    """Runs commands in a folder, and kills some."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, *words: str, after_s: float | None = None) -> Ended:
        """One command, in a process of its own; after ``after_s`` it is killed where it has not ended."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([after_s, words]) + "\n")
        self._process.stdin.flush()
        return Ended(*json.loads(self._process.stdout.readline()))

    def done(self, *words: str) -> str:
        """What a command says that must end well."""
        ended = self.run(*words)
        assert ended.code == 0, ended.said
        return ended.said


@contextmanager
def forks(folder: Path, environ: Mapping[str, str]) -> Iterator[Forks]:
    """Until the block ends."""
    command = [sys.executable, "-c", FORKS]
    with subprocess.Popen(command, cwd=folder, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Forks(process)


class Moments:
    """Random moments between the first and the last one of a command, whose length is learned from those that came to their end."""

    def __init__(self, length_s: float) -> None:
        self._random, self._length_s, self.killed, self.ended = random.Random(1), length_s, 0, 0

    def next(self) -> float:
        return self._random.uniform(0, self._length_s)

    def learn(self, ended: Ended) -> None:
        """Raises AssertionError where the command neither was killed nor ended well."""
        if ended.code == -9:
            self.killed += 1
            self._length_s *= 1.02  # were it too short, no kill would fall on the last moments
        else:
            assert ended.code == 0, ended.said
            self.ended += 1
            self._length_s = 0.95 * ended.took_s
