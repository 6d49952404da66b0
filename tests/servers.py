"""Real servers for tests and benchmarks: PostgreSQL, and three that speak S3 (SeaweedFS, moto, s3rver). They listen on 127.0.0.1 and
are gone with this process.

A test asks for the fixture ``postgres``, ``seaweedfs``, ``moto`` or ``s3rver`` and is marked ``parts``; each is started once a session,
when the first test asks. Where a part is not installed the test is skipped, and the reason is the command that installs it.
"""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from glob import glob
from importlib.util import find_spec
from pathlib import Path

import pytest

NOBODY = 65534
PASSWORD = "tow the boat"
S3RVER = "npm install --prefix build/s3rver s3rver@3.7.1"
PARTS = "pip install --constraint constraints.txt --group parts"

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Missing(Exception):
    """A part is not installed; the text is the command that installs it."""


class Postgres:
    """A cluster of its own, for as long as the block of :func:`postgresql`. Its superuser's name is ``towpath``."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._numbers = itertools.count(1)

    def url(self, database: str = "postgres", *, user: str = "towpath", password: str = PASSWORD, port: int | None = None) -> str:
        """The URL of a database; ``port`` is that of a proxy before the server."""
        return f"postgresql://{user}:{password.replace(' ', '%20')}@127.0.0.1:{port or self.port}/{database}"

    def new(self) -> str:
        """The name of a new and empty database."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return name

    def schema(self) -> str:
        """The URL of a new and empty schema: for who needs no database of his own, which is a thousand files."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE SCHEMA {name}")
        return f"{self.url()}?options=-csearch_path%3D{name}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Rows that a statement gives, as the superuser."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


class S3:
    """A server with one bucket. ``environ`` is what a client needs to reach it, under the names that all S3 clients read."""

    bucket = "towpath-tests"

    def __init__(self, port: int) -> None:
        self.port, self.endpoint = port, f"http://127.0.0.1:{port}"
        self.environ = {
            "AWS_ACCESS_KEY_ID": "towpath",
            "AWS_SECRET_ACCESS_KEY": PASSWORD.replace(" ", "-"),
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self._numbers = itertools.count(1)

    def new(self) -> str:
        """The URL of a prefix that nothing is under yet."""
        return f"s3://{self.bucket}/{os.getpid()}/{next(self._numbers)}"

    def through(self, port: int) -> dict[str, str]:
        """``environ`` of a client that goes through a proxy at ``port``."""
        return {**self.environ, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}


@contextmanager
def postgresql(*, durable: bool = False) -> Iterator[Postgres]:
    """A new cluster. ``durable``: with fsync, as a benchmark wants it. Raises Missing."""
    programs = _postgres_programs()
    if find_spec("psycopg") is None:
        raise Missing("psycopg is not installed: pip install 'towpath[postgres]'")
    with tempfile.TemporaryDirectory(prefix="towpath-postgres-") as folder:
        data, secret, server = Path(folder, "data"), Path(folder, "password"), Postgres(free_port())
        secret.write_text(PASSWORD)
        if os.getuid() == 0:  # the server refuses to be root
            for path in (Path(folder), secret):
                os.chown(path, NOBODY, NOBODY)
        init = [f"{programs}/initdb", "-D", str(data), "-U", "towpath", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8"]
        subprocess.run([*_as_nobody(), *init, "--no-sync", "--locale=C"], check=True, capture_output=True, cwd="/")
        command = [
            f"{programs}/postgres",
            "-D",
            str(data),
            "-h",
            "127.0.0.1",
            "-p",
            str(server.port),
            "-k",
            "",
            "-c",
            "max_connections=200",
        ]
        command += [] if durable else ["-c", "fsync=off"]
        with _running([*_as_nobody(), *command], Path(folder), lambda: server.execute("SELECT 1"), end=signal.SIGQUIT):
            yield server


@contextmanager
def weed() -> Iterator[S3]:
    """A new SeaweedFS. Raises Missing."""
    program = shutil.which("weed") or str(Path(sys.executable).with_name("weed"))
    if not Path(program).exists() or find_spec("boto3") is None:
        raise Missing(f"SeaweedFS or boto3 is not installed: {PARTS}")
    with tempfile.TemporaryDirectory(prefix="towpath-seaweedfs-") as folder:
        server = S3(free_port())
        config = Path(folder, "s3.json")
        keys = {"accessKey": server.environ["AWS_ACCESS_KEY_ID"], "secretKey": server.environ["AWS_SECRET_ACCESS_KEY"]}
        config.write_text(json.dumps({"identities": [{"name": "towpath", "credentials": [keys], "actions": ["Admin"]}]}))
        off = {"s3.port.iceberg": 0, "s3.port.lance": 0}  # no doors at ports that two servers would share
        ports = {"s3.port": server.port, "master.port": free_port(), "volume.port": free_port(), "filer.port": free_port()}
        options = {"dir": folder, "ip": "127.0.0.1", "ip.bind": "127.0.0.1", "s3.config": config, "volume.max": 100, **ports, **off}
        command = [program, "server", "-s3", "-filer", *(f"-{name}={value}" for name, value in options.items())]
        with _running(command, Path(folder), lambda: _make_bucket(server), end=signal.SIGKILL):  # asked kindly, it takes 15 s
            yield server


@contextmanager
def moto_server() -> Iterator[S3]:
    """A new moto, which keeps everything in memory and takes any credentials. Raises Missing."""
    if find_spec("moto") is None or find_spec("boto3") is None or find_spec("flask_cors") is None:
        raise Missing(f"moto is not installed: {PARTS}")
    server = S3(free_port())
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(server.port)]
    with tempfile.TemporaryDirectory(prefix="towpath-moto-") as folder, _running(command, Path(folder), lambda: _make_bucket(server)):
        yield server


@contextmanager
def node_s3rver() -> Iterator[S3]:
    """A new s3rver, which takes a conditional write for a plain one. Raises Missing."""
    program = Path("build/s3rver/node_modules/.bin/s3rver").absolute()
    if not program.exists() or shutil.which("node") is None or find_spec("boto3") is None:
        raise Missing(f"s3rver is not installed: {S3RVER}")
    with tempfile.TemporaryDirectory(prefix="towpath-s3rver-") as folder:
        server = S3(free_port())
        server.environ |= {"AWS_ACCESS_KEY_ID": "S3RVER", "AWS_SECRET_ACCESS_KEY": "S3RVER"}
        command = ["node", str(program), "-d", folder, "-a", "127.0.0.1", "-p", str(server.port), "--silent", "--no-vhost-buckets"]
        with _running(command, Path(folder), lambda: _make_bucket(server)):
            yield server


def free_port() -> int:
    """A port that nobody listens at: below those the kernel hands out by itself, and with room for SeaweedFS's second ports (+10,000)."""
    for port in random.sample(range(12_000, 22_000), 1000):
        with socket.socket() as one, socket.socket() as other:
            try:
                one.bind(("127.0.0.1", port))
                other.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
            return port
    raise AssertionError("no free port between 12000 and 22000")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    yield from _or_skipped(postgresql)


@pytest.fixture(scope="session")
def seaweedfs() -> Iterator[S3]:
    yield from _or_skipped(weed)


@pytest.fixture(scope="session")
def moto() -> Iterator[S3]:
    yield from _or_skipped(moto_server)


@pytest.fixture(scope="session")
def s3rver() -> Iterator[S3]:
    yield from _or_skipped(node_s3rver)


def _or_skipped(start: Callable) -> Iterator:
    try:
        with start() as server:
            yield server
    except Missing as missing:
        pytest.skip(str(missing))


@contextmanager
def _running(command: Sequence[str], folder: Path, answers: Callable[[], object], *, end: int = signal.SIGTERM) -> Iterator[None]:
    """A server that answers, until the block ends; the kernel ends it when this process dies before that."""
    log = folder / "log"
    with log.open("wb") as out:
        environ = _plain(os.environ)
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd="/", env=environ, preexec_fn=_die_with_us)
    try:
        _wait(process, answers, log)
        yield
    finally:
        process.send_signal(end)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], answers: Callable[[], object], log: Path, patience_s: float = 60) -> None:
    until = time.monotonic() + patience_s
    while True:
        if process.poll() is not None:
            raise AssertionError(f"{process.args} ended with {process.returncode}:\n{log.read_text()}")
        try:
            answers()
            return
        except Exception as fault:
            if time.monotonic() > until:
                raise AssertionError(f"{process.args} did not answer within {patience_s:g} s:\n{log.read_text()}") from fault
            time.sleep(0.1)


def _make_bucket(server: S3) -> None:
    import boto3
    from botocore.config import Config

    boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=server.environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=server.environ["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10),
    ).create_bucket(Bucket=server.bucket)


def _postgres_programs() -> str:
    found = [shutil.which("initdb"), *sorted(glob("/usr/lib/postgresql/*/bin/initdb"))]  # where Debian keeps them, off the PATH
    for program in filter(None, found):
        return str(Path(program).parent)
    raise Missing("PostgreSQL is not installed: apt-get install postgresql")


def _as_nobody() -> list[str]:
    """Who runs PostgreSQL when root runs the tests; a change of user forgets the wish to die with the parent, so it is told again."""
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--pdeathsig=QUIT"]
    return user if os.getuid() == 0 else []


def _die_with_us() -> None:
    os.setpgid(0, 0)  # Ctrl-C is for the tests, which then stop the servers in order
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _plain(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would lead a server's own clients off."""
    return {name: value for name, value in environ.items() if not name.startswith(("AWS_", "PG", "TOWPATH_"))}
