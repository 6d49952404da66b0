"""Staging: the version is started as it would serve, in a process of its own, and asked over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace

from towpath.clock import machine_s
from towpath.errors import TowpathError, Unavailable
from towpath.formats.golden import check_golden
from towpath.formats.package import Package
from towpath.formats.schema import Schema
from towpath.gates import parse
from towpath.gates.evidence import Evidence
from towpath.gates.judge import judge
from towpath.serving.client import Client
from towpath.serving.requests import DATATYPES
from towpath.verdict import Answer, Verdict

DEFAULT_CHECKS = ("golden_rows",)
GOLDEN = "golden_rows"
TIMED = 400  # requests that latency is measured over, after as many golden rows again for warming
STARTS_WITHIN_S = 60.0

Starter = Callable[[Path], Popen[bytes]]


def check(rules: Sequence[str], package: Package, model: str, start: Starter, folder: Path) -> tuple[Verdict, ...]:
    """Start the version, let it answer its golden rows, time it, stop it; a verdict a rule.

    Args:
        start: starts the server, which writes its port to the file it is given.
        folder: a place for that file.
    """
    golden = package.golden()
    try:
        with serving(start, folder / "ready.json") as client:
            ask = _asker(client, model, package.manifest.raw)
            said = check_golden(ask, golden)
            measured = _latencies(lambda row: ask(row), _rows(golden.columns))
    except TowpathError as fault:
        why = f"{fault.what} ({fault.mend})"
        return tuple(Verdict(gate=rule, answer=Answer.ERROR, because=why) for rule in rules or DEFAULT_CHECKS)
    evidence = Evidence(task=package.manifest.task, measured=measured)
    return tuple(said if rule == GOLDEN else replace(judge(parse(rule), evidence), gate=rule) for rule in rules or DEFAULT_CHECKS)


@contextmanager
def serving(start: Starter, ready: Path) -> Iterator[Client]:
    """A server that answers, and is stopped afterwards. Raises Unavailable when it does not come up."""
    process = start(ready)
    client: Client | None = None
    try:
        client = Client("127.0.0.1", _port(process, ready), connections=1)
        yield client
    finally:
        if client:
            client.close()
        process.terminate()
        process.wait(30)


def _port(process: Popen[bytes], ready: Path) -> int:
    end = machine_s() + STARTS_WITHIN_S
    while not ready.exists():
        if process.poll() is not None:
            raise Unavailable(f"the server ended with exit code {process.returncode} before it answered", mend="its log tells why")
        if machine_s() > end:
            raise Unavailable(f"the server did not answer within {STARTS_WITHIN_S:.0f} s", mend="its log tells why")
        time.sleep(0.02)
    return int(msgspec.json.decode(ready.read_bytes())["port"])


def _asker(client: Client, model: str, raw: Schema) -> Callable[[Mapping[str, list[Any]]], list[list[float]]]:
    types = {column.name: DATATYPES[column.type] for column in raw.columns}
    path = f"/v2/models/{model}/infer"

    def ask(columns: Mapping[str, list[Any]]) -> list[list[float]]:
        inputs = [{"name": name, "shape": [len(values)], "datatype": types[name], "data": values} for name, values in columns.items()]
        status, body = client.post(path, msgspec.json.encode({"inputs": inputs}))
        if status != 200:
            raise Unavailable(f"it answered {status}: {body.decode(errors='replace')[:300]}", mend="look at the server's log")
        return _values(msgspec.json.decode(body))

    return ask


def _values(answer: Any) -> list[list[float]]:
    outputs = {output["name"]: output for output in answer["outputs"]}
    output = outputs.get("probability") or outputs["value"]
    rows = output["shape"][0]
    return np.asarray(output["data"], dtype=np.float64).reshape(rows, -1).tolist()


def _rows(columns: Mapping[str, list[Any]]) -> list[dict[str, list[Any]]]:
    count = len(next(iter(columns.values()), []))
    return [{name: [values[row]] for name, values in columns.items()} for row in range(count)]


def _latencies(ask: Callable[[Mapping[str, list[Any]]], Any], rows: Sequence[Mapping[str, list[Any]]]) -> dict[str, float]:
    """Seconds that one-row requests take, as a client sees them."""
    taken = []
    for number in range(2 * TIMED):
        start = machine_s()
        ask(rows[number % len(rows)])
        taken.append(machine_s() - start)
    quantiles = np.quantile(taken[TIMED:], [0.5, 0.95, 0.99]).tolist()
    return {GOLDEN: 1.0, **dict(zip(("p50", "p95", "p99"), quantiles, strict=True))}
