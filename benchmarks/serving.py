"""One-row JSON requests to a real server, beside the least that the same parts can do; and the journal behind it.

The peer is the floor: Granian, msgspec and ONNX Runtime with the same model, which checks, assigns, counts and records nothing.
Server and client share the machine; each is held to a core of its own where there are two.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightgbm
import msgspec
import numpy as np
import polars as pl

from benchmarks.frame import Row, main
from towpath.digest import Digest
from towpath.formats.build import FeaturesCode, Trained, build, training_rows
from towpath.journal.delta import DeltaJournal
from towpath.serving import Assignment, Served
from towpath.store.local import LocalStore
from towpath.testing.journals import START, batch, scored

SECONDS = 3.0
COLUMNS = 13
ROW = {f"x{k}": 0.25 * k for k in range(COLUMNS)}
FEATURES = b"""
import polars as pl
def features(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(far=pl.col("x1").abs().log1p(), over=pl.col("x2") > 1)
"""
SERVER = """
import sys
from pathlib import Path
import msgspec
from towpath.serving import Assignment, ServerSettings
from towpath.serving.run import serve
from towpath.store.local import LocalStore
root = Path(sys.argv[1])
told = msgspec.json.decode((root / "assignment.json").read_bytes(), type=Assignment)
ready = root / "ready.json"
serve(ServerSettings(model="m", port=0, spool=root / "spool", cache=root, ready_file=ready), lambda: told, LocalStore(root / "store"))
"""
FLOOR = """
import asyncio, os, sys
from pathlib import Path
from typing import Any
import msgspec
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from towpath.formats.package import unpack
from towpath.store.local import LocalStore
from towpath.serving.run import reserve
class Tensor(msgspec.Struct): name: str; data: list[Any]
class Request(msgspec.Struct): inputs: list[Tensor]
root = Path(sys.argv[1])
scorer = unpack(LocalStore(root / "store"), msgspec.json.decode((root / "assignment.json").read_bytes())["champion"]["digest"]).scorer()
decode, encode = msgspec.json.Decoder(Request).decode, msgspec.json.Encoder().encode
class App:
    async def __rsgi__(self, scope, proto):
        values = scorer.score({tensor.name: tensor.data for tensor in decode(await proto()).inputs}).values
        proto.response_bytes(200, [("content-type", "application/json")], encode({"p": values[0].tolist()}))
async def main():
    with reserve("127.0.0.1", 0) as held:
        port = held.getsockname()[1]
        kind = {"interface": Interfaces.RSGI, "http": HTTPModes.http1, "websockets": False, "log_enabled": False}
        server = Server(App(), address="127.0.0.1", port=port, **kind)
        serving = asyncio.create_task(server.serve())
        await asyncio.sleep(0.3)
        (root / "ready.json").write_bytes(encode({"port": port, "pid": os.getpid()}))
        await serving
asyncio.run(main())
"""


def package(store: LocalStore, features: bool) -> Digest:
    """A LightGBM of 100 trees on 13 numbers."""
    random = np.random.default_rng(1)
    rows = pl.DataFrame({name: random.normal(size=2000) for name in ROW}).with_columns(late=pl.col("x1") + pl.col("x2") > 0)
    code = FeaturesCode(module="pipeline", function="features", files={"pipeline.py": FEATURES}) if features else None
    table = training_rows(rows, "late", code)
    model = lightgbm.LGBMClassifier(n_estimators=100, verbose=-1, n_jobs=1).fit(table.drop("late").to_pandas(), table["late"].to_numpy())
    return build(store, Trained(model=model, task="binary", label="late", kind="pandas", features=code), rows)


@contextmanager
def serving(code: str, digest: Digest, store: LocalStore) -> Iterator[int]:
    """A server process; its port."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "store").symlink_to(store.root)
        told = Assignment(environment="production", position=1, champion=Served(version=1, digest=digest))
        (root / "assignment.json").write_bytes(msgspec.json.encode(told))
        process = subprocess.Popen([sys.executable, "-c", code, folder], preexec_fn=lambda: _hold(0))
        try:
            while not (root / "ready.json").exists():
                time.sleep(0.02)
            yield int(json.loads((root / "ready.json").read_bytes())["port"])
        finally:
            process.terminate()
            process.wait(timeout=20)


def _hold(core: int) -> None:
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})


def load(port: int, connections: int) -> tuple[float, float, float]:
    """Requests a second, and the median and 99th percentile of their latency in ms, with one request in flight a connection."""
    inputs = [{"name": name, "shape": [1], "datatype": "FP64", "data": [value]} for name, value in ROW.items()]
    body = json.dumps({"inputs": inputs}).encode()
    request = b"POST /v2/models/m/infer HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    begun: dict[Any, float] = {}
    latencies: list[float] = []
    with selectors.DefaultSelector() as ready:
        for _ in range(connections):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ready.register(connection, selectors.EVENT_READ)
            begun[connection] = time.perf_counter()
            connection.sendall(request)
        end = time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            for key, _ in ready.select(1):
                connection = key.fileobj
                _read(connection)  # type: ignore[arg-type]
                latencies.append(time.perf_counter() - begun[connection])
                begun[connection] = time.perf_counter()
                connection.sendall(request)  # type: ignore[union-attr]
    for connection in begun:
        connection.close()
    return len(latencies) / SECONDS, *(np.percentile(latencies, [50, 99]) * 1e3).tolist()


def _read(connection: socket.socket) -> None:
    data = connection.recv(65536)
    if not data.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"the server answered {data[:200]!r}")
    head, _, rest = data.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(rest) < length:
        rest += connection.recv(65536)


def requests() -> Iterator[Row]:
    """Requests a second and latency."""
    with tempfile.TemporaryDirectory() as folder:
        store = LocalStore(Path(folder))
        plain, featured = package(store, False), package(store, True)
        for connections in (1, 16):
            with serving(FLOOR, plain, store) as port:
                floor = load(port, connections)
            with serving(SERVER, plain, store) as port:
                ours = load(port, connections)
            name = f"one row of {COLUMNS} columns, {connections} connections"
            yield Row(work=name, ours=ours[0], unit="requests/s", peers={"floor": floor[0]})
            share = ours[0] / floor[0]
            yield Row(work=f"{name}: of the floor's", ours=share, unit="", goal="half of it", holds=share >= 0.5)
            yield Row(work=f"{name}: p50", ours=ours[1], unit="ms", peers={"floor": floor[1]})
            yield Row(work=f"{name}: p99", ours=ours[2], unit="ms", peers={"floor": floor[2]})
        with serving(SERVER, featured, store) as port:
            yield Row(
                work="the same with `features` in Polars, 16", ours=load(port, 16)[0], unit="requests/s", bound="one with_columns: 50-90 µs"
            )


def journal(commits: int = 300) -> Iterator[Row]:
    """A commit of 500 rows, and reading what is new, at the end of many commits."""
    with tempfile.TemporaryDirectory() as folder:
        writer, reader = DeltaJournal(Path(folder)), DeltaJournal(Path(folder))
        writes, reads, mark = [], [], 0
        for number in range(commits):
            at = START + timedelta(hours=6 * number)
            rows = [scored(number * 500 + k, at=at) for k in range(500)]
            begun = time.perf_counter()
            writer.append([batch("a", number * 500, rows)])
            written = time.perf_counter()
            mark = reader.predictions(mark).mark
            writes.append(written - begun)
            reads.append(time.perf_counter() - written)
        write, read = (float(np.mean(times[-100:])) * 1e3 for times in (writes, reads))
        yield Row(work=f"commit 500 rows, {commits} commits in", ours=write, unit="ms", goal="40 ms", holds=write <= 40)
        yield Row(work="read the 500 new ones", ours=read, unit="ms", goal="10 ms", holds=read <= 10)


def rows() -> Iterator[Row]:
    """All of them."""
    _hold(1)
    yield from requests()
    yield from journal()


if __name__ == "__main__":
    sys.exit(main("serving", rows))
