"""The ledger in SQLite: how many processes' facts it takes a second, how long an append takes, how fast it is read."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

from benchmarks.frame import Row, main
from towpath.ledger import verify
from towpath.ledger.sqlite import SqliteLedger
from towpath.testing.ledgers import fact

WRITERS, FACTS = 20, 50
WRITE = """
import sys
from pathlib import Path
from towpath.ledger.sqlite import SqliteLedger
from towpath.testing.ledgers import fact
ledger, writer, facts = SqliteLedger(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for number in range(facts):
    ledger.append([fact(1000 * writer + number)])
"""


def rows() -> list[Row]:
    """Measured in a folder beside this one, so that the disk is the one that a project would lie on."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        path = Path(folder) / "ledger.sqlite"
        flush = flush_ms(Path(folder) / "flushed")
        many = _many(path)
        alone, late = _alone(Path(folder) / "alone.sqlite")
        read = _read(path)
    bound = f"one fsync: {flush:.2f} ms"
    return [
        Row(work=f"{WRITERS} processes append at once", ours=many, unit="events/s", bound=bound, goal=">= 100", holds=many >= 100),
        Row(work="one append, median", ours=alone, unit="ms", bound=bound, goal="<= 20", holds=alone <= 20),
        Row(work="one append, 99th percentile", ours=late, unit="ms", bound=bound, goal="<= 100", holds=late <= 100),
        Row(work="read, decode and verify", ours=read, unit="events/s", goal=">= 20,000", holds=read >= 20_000),
    ]


def flush_ms(path: Path, times: int = 50) -> float:
    """The median time of a small write that is on disk."""
    took = []
    with path.open("ab") as file:
        for _ in range(times):
            begin = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - begin)
    return median(took) * 1e3


def _many(path: Path) -> float:
    commands = [[sys.executable, "-c", WRITE, str(path), str(number), str(FACTS)] for number in range(WRITERS)]
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
    checked = verify(SqliteLedger(path).read())
    if checked.faults or checked.head.position != WRITERS * FACTS:
        raise SystemExit(f"facts were lost: {checked}")
    return WRITERS * FACTS / took


def _alone(path: Path, times: int = 300) -> tuple[float, float]:
    ledger = SqliteLedger(path)
    took = []
    for number in range(times):
        begin = time.perf_counter()
        ledger.append([fact(number)])
        took.append((time.perf_counter() - begin) * 1e3)
    return median(took), quantiles(took, n=100)[98]


def _read(path: Path, times: int = 5) -> float:
    ledger = SqliteLedger(path)
    begin = time.perf_counter()
    for _ in range(times):
        verify(ledger.read())
        events = sum(1 for record in ledger.read() if record.entry)
    return times * events / (time.perf_counter() - begin)


if __name__ == "__main__":
    sys.exit(main("ledger", rows))
