"""Real packages in a store, real servers in processes of their own."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightgbm
import msgspec
import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

from towpath.digest import Digest
from towpath.formats.build import FeaturesCode, Trained, build, training_rows
from towpath.formats.package import pack, unpack
from towpath.journal.commit import Committed, commit
from towpath.journal.delta import DeltaJournal
from towpath.serving import Assignment, Served, ServerSettings
from towpath.store.local import LocalStore

# rows that a challenger made of this code fails on, each in its own way; none of them occurs in training
UNRULY = """
import os, time
import polars as pl
def features(rows: pl.DataFrame) -> pl.DataFrame:
    distance = rows["distance"][0]
    if distance == 666: raise ArithmeticError("no such distance")
    if distance == 667: time.sleep(60)
    if distance == 668: os._exit(3)
    return rows.select("carrier", "hour", "wind", far=pl.col("distance").log(), weekday=pl.col("departure").dt.weekday())
"""
ROW: dict[str, Any] = {
    "carrier": "AA",
    "distance": 1089,
    "hour": 17,
    "wind": 4.5,
    "holiday": False,
    "departure": "2013-04-01T17:00:00Z",
}
DATATYPES = {"carrier": "BYTES", "distance": "INT64", "hour": "INT64", "wind": "FP64", "holiday": "BOOL", "departure": "BYTES"}


def flights(rows: int = 600) -> pl.DataFrame:
    """Rows like those of the flights; ``wind`` may be null."""
    random = np.random.default_rng(7)
    frame = pl.DataFrame(
        {
            "carrier": random.choice(["AA", "UA", "DL"], rows),
            "distance": random.integers(100, 600, rows),
            "hour": random.integers(5, 24, rows),
            "wind": random.normal(8, 3, rows).round(1),
            "holiday": random.random(rows) < 0.1,
            "departure": pl.datetime_range(
                pl.datetime(2013, 1, 1, time_zone="UTC"), pl.datetime(2013, 3, 31, time_zone="UTC"), "3h", eager=True
            )[:rows],
        }
    )
    late = frame["hour"].to_numpy() + random.normal(0, 4, rows) > 17
    return frame.with_columns(wind=pl.when(pl.col("wind") > 13).then(None).otherwise("wind"), late=pl.Series(late))


PLAIN = """
import polars as pl
def features(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.drop("departure")
"""


def package(store: LocalStore, seed: int, code: str) -> Digest:
    """A LightGBM in a scikit-learn pipeline, trained and packaged."""
    rows = flights()
    features = FeaturesCode(module="pipeline", function="features", files={"pipeline.py": code.encode()})
    table = training_rows(rows, "late", features)
    texts = ColumnTransformer(
        [("texts", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["carrier"])], remainder="passthrough"
    )
    boosted = lightgbm.LGBMClassifier(n_estimators=15, random_state=seed, verbose=-1, n_jobs=1, subsample=0.5, subsample_freq=1)
    model = Pipeline([("texts", texts), ("boosted", boosted)]).fit(table.drop("late").to_pandas(), table["late"].to_numpy())
    return build(store, Trained(model=model, task="binary", label="late", kind="pandas", features=features), rows)


def forgetful(store: LocalStore, digest: Digest) -> Digest:
    """The same package with golden answers that it does not give."""
    whole = unpack(store, digest)
    golden = whole.golden()
    wrong = msgspec.json.encode({"columns": golden.columns, "answers": [[p / 2 for p in row] for row in golden.answers]})
    return pack(store, replace(whole.manifest, files={}), {**whole.files, "golden.json": wrong})


@dataclass(frozen=True)
class Packages:
    """Versions 1 and 2 are well, 3 is unruly, 4 does not answer its golden rows."""

    root: Path
    store: LocalStore
    versions: dict[int, Digest]

    def served(self, version: int) -> Served:
        return Served(version=version, digest=self.versions[version])


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    root = tmp_path_factory.mktemp("store")
    store = LocalStore(root)
    well = {1: package(store, 1, PLAIN), 2: package(store, 2, PLAIN), 3: package(store, 3, UNRULY)}
    return Packages(root, store, {**well, 4: forgetful(store, well[2])})


def body(row: dict[str, Any] | None = None, *, id: str | None = None, **changes: Any) -> dict[str, Any]:
    """A request of one row: ``ROW`` with changes."""
    values = {**(ROW if row is None else row), **changes}
    inputs = [{"name": name, "shape": [1], "datatype": DATATYPES.get(name, "FP64"), "data": [value]} for name, value in values.items()]
    return {"inputs": inputs} if id is None else {"id": id, "inputs": inputs}


@dataclass
class Server:
    """One server process in a folder of its own."""

    root: Path
    packages: Packages
    process: subprocess.Popen[bytes]
    port: int = 0
    position: int = 1
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, content: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """One request on a connection of its own; the body is JSON unless it is bytes already."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)
        try:
            data = content if isinstance(content, bytes) or content is None else json.dumps(content).encode()
            connection.request(method, path, data, {**self.headers, **(headers or {})})
            answer = connection.getresponse()
            text = answer.read()
            is_json = answer.headers.get("content-type") == "application/json"
            return answer.status, json.loads(text) if is_json else text.decode()
        finally:
            connection.close()

    def infer(self, content: Any = None, path: str = "/v2/models/flights/infer") -> tuple[int, Any]:
        return self.ask("POST", path, body() if content is None else content)

    def status(self, query: str = "") -> dict[str, Any]:
        status, told = self.ask("GET", f"/towpath/status{query}")
        assert status == 200, told
        return dict(told)

    def assign(self, champion: int, challenger: int | None = None, **more: Any) -> dict[str, Any]:
        """Tell the server what to serve, and wait until it does."""
        self.position += 1
        write_assignment(self.root, self.packages, self.position, champion, challenger, **more)
        return self.status(f"?position={self.position}")

    def committed(self) -> Committed:
        return commit(self.root / "spool", self.journal)

    @property
    def journal(self) -> DeltaJournal:
        return DeltaJournal(self.root / "journal")

    def rows(self) -> list[dict[str, Any]]:
        """All predictions, after a commit."""
        self.committed()
        return self.journal.predictions().frame.to_dicts()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=20)


def write_assignment(
    root: Path, packages: Packages, position: int, champion: int | None, challenger: int | None = None, **more: Any
) -> None:
    told = Assignment(
        environment="production",
        position=position,
        champion=packages.served(champion) if champion else None,
        challenger=packages.served(challenger) if challenger else None,
        **more,
    )
    temporary = root / "assignment.new"
    temporary.write_bytes(msgspec.json.encode(told))
    temporary.replace(root / "assignment.json")


def begin(root: Path, packages: Packages, champion: int | None = 1, **settings: Any) -> Server:
    """Start a server; it is not waited for."""
    if not (root / "assignment.json").exists():
        write_assignment(root, packages, 1, champion)
    fields: dict[str, Any] = {
        "model": "flights",
        "port": 0,
        "spool": root / "spool",
        "cache": root / "cache",
        "ready_file": root / "ready.json",
    }
    plain = msgspec.to_builtins(ServerSettings(**{**fields, **settings}), enc_hook=str)
    (root / "settings.json").write_text(json.dumps(plain))
    (root / "ready.json").unlink(missing_ok=True)
    script = Path(__file__).parent / "server_process.py"
    return Server(root, packages, subprocess.Popen([sys.executable, str(script), str(root), str(packages.root)]))


def wait_until_ready(server: Server) -> Server:
    for _ in range(600):
        if (server.root / "ready.json").exists():
            server.port = json.loads((server.root / "ready.json").read_text())["port"]
            return server
        if server.process.poll() is not None:
            raise AssertionError(f"the server ended with {server.process.returncode}")
        time.sleep(0.05)
    raise AssertionError("the server was not ready within 30 s")


Start = Callable[..., Server]


@pytest.fixture
def start(packages: Packages, tmp_path: Path) -> Iterator[Start]:
    """Starts servers, each in its own folder, and stops them."""
    with ExitStack() as stack:

        def started(name: str = "server", champion: int | None = 1, **settings: Any) -> Server:
            (tmp_path / name).mkdir(exist_ok=True)
            server = begin(tmp_path / name, packages, champion, **settings)
            stack.callback(ended, server)
            return wait_until_ready(server)

        yield started


def ended(server: Server) -> None:
    if server.process.poll() is None:
        server.process.kill()
    server.process.wait()


@pytest.fixture(scope="module")
def shared(packages: Packages, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for tests that change nothing of it."""
    server = begin(tmp_path_factory.mktemp("shared"), packages, body_bytes=100_000)
    try:
        yield wait_until_ready(server)
    finally:
        ended(server)
