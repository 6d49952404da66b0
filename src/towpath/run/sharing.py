"""What a run takes of the executions that its team shares, and gives to them."""

from __future__ import annotations

import getpass
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from towpath import holdings
from towpath.digest import Digest
from towpath.errors import TowpathError, UsageError
from towpath.pipeline.reuse import Borrowed, Reuse, Signer, sampled, trusted
from towpath.pipeline.values import Value
from towpath.run.bench import Bench, Ended
from towpath.store import Execution, signatures

if TYPE_CHECKING:  # what a remote needs is loaded only where there is one
    from towpath.store.shared import Shared

SIGNING_KEY = "TOWPATH_SIGNING_KEY"  # the variable with the path of an SSH key

Share = Callable[[Digest], None]


@contextmanager
def with_team(bench: Bench) -> Iterator[tuple[Reuse, Share]]:
    """What may be reused, and whom to tell of what is executed; that is sent at the end, also of a run that failed or ended early."""
    shared = holdings.shared(bench.project, bench.tell)
    if shared is None:
        yield Reuse(afresh=bench.afresh), lambda fingerprint: None
        return
    try:
        yield _reuse(bench, shared), shared.note
    except (TowpathError, Ended):
        _send(bench, shared)
        raise
    _send(bench, shared)


def _reuse(bench: Bench, shared: Shared) -> Reuse:
    signer, store = _signer(bench), holdings.near(bench.project)
    refused = cache(lambda: bench.records.state().runs.refused)

    def others(fingerprint: Digest) -> Borrowed | None:
        claims = shared.of(fingerprint)
        return trusted(claims, signer, refused(), holds) if claims else None

    def holds(execution: Execution) -> bool:
        value = Value(execution.codec, execution.output, execution.content)
        found: bool = import_module("towpath.pipeline.tables").holds(value, store)
        return found

    return Reuse(afresh=bench.afresh, others=others, is_checked=partial(sampled, run=bench.number, share=bench.verify))


def _signer(bench: Bench) -> Signer | None:
    """None where the project declares no keys. Raises ProjectError where their file is not there."""
    if bench.project.trusted_keys is None:
        return None
    file = bench.folder / bench.project.trusted_keys
    if not file.is_file():
        raise bench.project.fault("trusted_keys", what=f"there is no file {bench.project.trusted_keys}", mend="add it, a public key a line")
    said: list[str] = []

    def signer(data: bytes, signature: str) -> str | None:
        try:
            return signatures.signer(data, signature, file) if signature and not said else None
        except UsageError as fault:
            said.append(fault.what)
            bench.tell(f"executions of others are not taken: {fault.what}")
            return None

    return signer


def _send(bench: Bench, shared: Shared) -> None:
    key = bench.environ.get(SIGNING_KEY)

    def sign(data: bytes) -> str:
        return signatures.sign(data, Path(key)) if key else ""

    shared.send(getpass.getuser(), platform.node(), bench.records.clock.now(), sign)
