"""Each ledger: how many processes' facts it takes a second, how long an append takes, how fast it is read.

PostgreSQL and SeaweedFS are started here, on this machine and with fsync; where one is not installed, its rows are left out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from statistics import median, quantiles

from tests.servers import Missing, postgresql, weed

from benchmarks.frame import Row, main
from towpath.ledger import Ledger, verify
from towpath.testing.ledgers import fact

WRITERS, FACTS, ALONE = 20, 50, 300
WRITE = """
import sys
from benchmarks.ledger import opened
from towpath.testing.ledgers import fact
ledger, writer, facts = opened(sys.argv[1], sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
print("ready", flush=True)
sys.stdin.readline()
for number in range(facts):
    ledger.append([fact(1000 * writer + number)])
"""
AT_LEAST = {"SQLite": 100, "PostgreSQL": 100, "SeaweedFS": 20, "folder": 50}  # events a second, of all writers
AT_MOST_MS = {"SQLite": 20, "PostgreSQL": 20, "SeaweedFS": 50, "folder": 20}  # one append, median


def opened(kind: str, address: str) -> Ledger:
    """The ledger of a kind, as a process of a team opens it."""
    if kind == "SQLite":
        return import_module("towpath.ledger.sqlite").SqliteLedger(Path(address, "ledger.sqlite"))
    if kind == "PostgreSQL":
        return import_module("towpath.ledger.postgres").PostgresLedger(address)
    objects, remote = import_module("towpath.ledger.objects"), "towpath.store.remote"
    bucket = import_module(f"{remote}.folder").FolderBucket(Path(address)) if kind == "folder" else import_module(f"{remote}.cloud")
    return objects.ObjectLedger(bucket if kind == "folder" else bucket.CloudBucket(address))


def rows() -> Iterator[Row]:
    """Everything of each ledger."""
    bound = _bound()
    for kind, new in _ledgers():
        address = new()
        yield _row_of_many(kind, address, bound)
        yield from _rows(kind, address, new, bound)


def rows_of_many() -> Iterator[Row]:
    """The first row of each alone."""
    bound = _bound()
    for kind, new in _ledgers():
        yield _row_of_many(kind, new(), bound)


def _bound() -> str:
    """Measured in a folder beside this one, so that the disk is the one that a project would lie on."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        return f"one fsync: {_ms(partial(_flush, Path(folder, 'flushed'))):.2f} ms"


def _ledgers() -> Iterator[tuple[str, Callable[[], str]]]:
    """Each kind that is installed, and who gives addresses of new ones."""
    for kind, places in {"SQLite": _folders, "folder": _folders, "PostgreSQL": _databases, "SeaweedFS": _prefixes}.items():
        try:
            with places() as new:
                yield kind, new
        except Missing as missing:
            print(f"no rows of {kind}: {missing}", file=sys.stderr)


def _row_of_many(kind: str, address: str, bound: str) -> Row:
    many, least = _many(kind, address), AT_LEAST[kind]
    work = f"{kind}: {WRITERS} processes append {FACTS} facts each, every one once"
    return Row(work=work, ours=many, unit="events/s", bound=bound, goal=f">= {least}", holds=many >= least)


def _rows(kind: str, full: str, new: Callable[[], str], bound: str) -> Iterator[Row]:
    """``full`` is the address of one that has facts."""
    alone, late = _alone(kind, new())
    read, poll = _read(kind, full)
    most = AT_MOST_MS[kind]
    yield Row(work=f"{kind}: one append, median", ours=alone, unit="ms", bound=bound, goal=f"<= {most}", holds=alone <= most)
    yield Row(work=f"{kind}: one append, 99th percentile", ours=late, unit="ms", goal=f"<= {5 * most}", holds=late <= 5 * most)
    yield Row(work=f"{kind}: open, read, decode and verify", ours=read, unit="events/s", goal=">= 500", holds=read >= 500)
    yield Row(work=f"{kind}: read when nothing is new", ours=poll, unit="ms", goal="<= 20", holds=poll <= 20)


def _many(kind: str, address: str) -> float:
    commands = [[sys.executable, "-c", WRITE, kind, address, str(number), str(FACTS)] for number in range(WRITERS)]
    writers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for command in commands]
    for writer in writers:
        assert writer.stdout
        writer.stdout.readline()
    begin = time.perf_counter()
    for writer in writers:
        assert writer.stdin
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate()
    took = time.perf_counter() - begin
    records = list(opened(kind, address).read())
    checked, told = verify(records), {record.entry.id for record in records}
    if checked.faults or len(told) != len(records) or len(told) != WRITERS * FACTS:
        raise SystemExit(f"facts were lost or doubled: {len(told)} of {WRITERS * FACTS} in {len(records)} records; {checked}")
    return WRITERS * FACTS / took


def _alone(kind: str, address: str) -> tuple[float, float]:
    ledger = opened(kind, address)
    ledger.append([fact(0)])  # opening, and what is made on first use, is not an append's time
    took = [_ms(partial(ledger.append, [fact(number)]), times=1) for number in range(1, ALONE)]
    return median(took), quantiles(took, n=100)[98]


def _read(kind: str, address: str, times: int = 5) -> tuple[float, float]:
    """Events a second of a process that knows nothing, and milliseconds of one that knows all."""
    begin = time.perf_counter()
    for _ in range(times):
        ledger = opened(kind, address)
        verify(records := list(ledger.read()))
        events = sum(1 for record in records if record.entry)
    took = time.perf_counter() - begin
    return times * events / took, _ms(lambda: list(ledger.read(events)))


def _ms(work: Callable[[], object], times: int = 50) -> float:
    """The median time of some work."""
    took = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        took.append(time.perf_counter() - begin)
    return median(took) * 1e3


def _flush(path: Path) -> None:
    with path.open("ab") as file:
        file.write(bytes(4096))
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _folders() -> Iterator[Callable[[], str]]:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        yield lambda: tempfile.mkdtemp(dir=folder)


@contextmanager
def _databases() -> Iterator[Callable[[], str]]:
    with postgresql(durable=True) as server:
        yield lambda: server.url(server.new())


@contextmanager
def _prefixes() -> Iterator[Callable[[], str]]:
    with weed() as server:
        os.environ.update(server.environ)
        yield server.new


if __name__ == "__main__":
    sys.exit(main("ledger", rows))
