"""A task on a node of a cluster: a worker there performs it, on code and values that come through the store."""

from __future__ import annotations

import io
import os
import platform
import shutil
import tarfile
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

import msgspec
from msgspec.structs import replace

from towpath import stores
from towpath.digest import Digest, of_bytes
from towpath.errors import TowpathError
from towpath.executors.alike import Surroundings, check
from towpath.executors.carrying import Carrier
from towpath.executors.local import LocalExecutor
from towpath.pipeline import checkpoints
from towpath.pipeline.executor import Done, Fault, Task
from towpath.pipeline.values import Value
from towpath.store import Store


class Home(msgspec.Struct, frozen=True):
    """Where a project's state lies: in ``home`` on every machine, or where there is a ``remote`` there."""

    root: str
    home: str
    remote: str | None


class Asked(msgspec.Struct, frozen=True):
    """A task, with the project's home, the tree of its code, and what it is to be executed with."""

    home: Home
    tree: Value
    task: Task
    around: Surroundings


class Answer(msgspec.Struct, frozen=True):
    """The end of a task, and what it printed."""

    done: Done
    log: bytes


def performed(asked: bytes) -> bytes:
    """Perform what is Asked; what it made is durable. An encoded Answer."""
    one = decoded(asked)
    try:
        check(one.around)
        here, code, _ = code_on_node(one.home, one.tree)
        return msgspec.msgpack.encode(_performed(one.task, code, here))
    except (TowpathError, OSError) as fault:
        return refused(one.task, fault)


def decoded(asked: bytes) -> Asked:
    """What a node was sent."""
    return msgspec.msgpack.decode(asked, type=Asked)


def refused(task: Task, fault: TowpathError | OSError) -> bytes:
    """The Answer of a node that cannot begin a task."""
    what = f"node {platform.node()} cannot perform step {task.step!r}: {getattr(fault, 'what', fault)}"
    mend = getattr(fault, "mend", "look at that node's disk")
    return msgspec.msgpack.encode(Answer(Done(step=task.step, seconds=0.0, fault=Fault(what=what, mend=mend)), b""))


def code_on_node(home: Home, tree: Value) -> tuple[Home, str, Store]:
    """The project's home on this node, the folder of its code, and its store. Raises TowpathError or OSError where there is none."""
    here = _here(home)
    store = stores.near(Path(here.root), Path(here.home), here.remote)
    return here, _unpacked(tree, store, _scratch(home)), store


def kept(here: Home, values: Iterable[Value]) -> None:
    """Let other machines have values that this node made."""
    if here.remote:
        Carrier(Path(here.root), Path(here.home), here.remote).send(values)


def pack(tree: Path) -> bytes:
    """The project's code as one object: files, links and which may be executed; of equal trees, equal bytes."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.mtime = entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        return entry

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(tree, arcname=".", filter=plain)
    return packed.getvalue()


def unpack(packed: bytes, folder: Path) -> None:
    """Write what ``pack`` made of a tree into a folder."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        tar.extractall(folder, filter="data")


def _here(home: Home) -> Home:
    """The project's home on this node: a folder of the node's own where there is a remote, otherwise the one that all share."""
    if home.remote:
        return Home(home.root, str(_scratch(home)), home.remote)
    if not Path(home.home, "store").is_dir():
        what = f"there is no {home.home}, where the project's store lies"
        raise TowpathError(what, mend="mount that folder on every node, or name a `remote` in towpath.yaml")
    return home


def _scratch(home: Home) -> Path:
    name = of_bytes(f"{home.root}\0{home.home}\0{home.remote}".encode())[:16]
    return Path(tempfile.gettempdir(), f"towpath-{os.getuid()}", name)


def _unpacked(tree: Value, store: Store, scratch: Path) -> str:
    """The folder with the project's code, written once a node."""
    target = scratch / "trees" / tree.output
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        half = Path(tempfile.mkdtemp(dir=target.parent))
        unpack(store.get(tree.output), half)
        try:
            half.rename(target)
        except OSError:  # another task of this node was first
            shutil.rmtree(half)
    return str(target)


def _performed(task: Task, code: str, here: Home) -> Answer:
    worker = _executor(here, os.environ.get("CUDA_VISIBLE_DEVICES", ""))
    with tempfile.TemporaryDirectory(prefix="towpath-log-") as folder:
        log = Path(folder, "log")
        own = Path(here.home, "checkpoints", Path(task.checkpoint).name) if task.checkpoint else None
        worker.submit(replace(task, tree=code, log=str(log), checkpoint=str(own or "")))
        (done,) = worker.wait()
        worker.sync()
        if done.value:
            kept(here, [done.value])
        if done.value and own and here.remote:
            checkpoints.remove(own.parent, [Digest(own.name)])
        with suppress(FileNotFoundError):
            return Answer(_renamed(done, str(log), task.log), log.read_bytes())
        return Answer(_renamed(done, str(log), task.log), b"")


def _renamed(done: Done, log: str, name: str) -> Done:
    """With the name under which the log will be found."""
    if done.fault is None:
        return done
    return replace(done, fault=replace(done.fault, what=done.fault.what.replace(log, name), mend=done.fault.mend.replace(log, name)))


@cache
def _executor(here: Home, gpus: str) -> LocalExecutor:
    """Ray uses a process for many tasks: so the worker of one is there for the next."""
    return LocalExecutor(here, os.environ)
