"""Which executions a run takes instead of executing: its own, and of others those that are trusted. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from towpath.digest import Digest, of_value
from towpath.origin import Origin
from towpath.pipeline.codecs import content_of
from towpath.store import Execution, Store

PLAIN = frozenset({"table", "bytes", "text", "json", "array", "files"})  # codecs that execute nothing when they read

Signer = Callable[[bytes, str], str | None]


class Claim(Protocol):
    """An execution as somebody told it, in a signed batch."""

    @property
    def execution(self) -> Execution: ...
    @property
    def client(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def data(self) -> bytes: ...
    @property
    def signature(self) -> str: ...


class Borrowed(NamedTuple):
    """An execution of somebody else's, and whose."""

    execution: Execution
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class Reuse:
    """``afresh``: nothing is taken. ``others``: a trusted execution of others. ``is_checked``: whether that is executed here as well."""

    afresh: bool = False
    others: Callable[[Digest], Borrowed | None] = lambda fingerprint: None
    is_checked: Callable[[Digest], bool] = lambda fingerprint: False

    def known(self, fingerprint: Digest, store: Store) -> tuple[Execution | None, Borrowed | None]:
        """The execution to take, and that of others: one that comes alone is to be checked."""
        if self.afresh:
            return None, None
        if own := store.recall(fingerprint):
            return own, None
        borrowed = self.others(fingerprint)
        return (borrowed.execution if borrowed and not self.is_checked(fingerprint) else None), borrowed


def trusted(
    claims: Iterable[Claim], signer: Signer | None, refused: Collection[tuple[Digest, Digest]], holds: Callable[[Execution], bool]
) -> Borrowed | None:
    """The first claim that may be taken.

    Args:
        signer: whose signature it is, None where nobody trusted signed that. Without a signer, no keys are declared: then whatever
            executes nothing when it is read is taken, from anybody.
        refused: fingerprints with the contents that turned out to be wrong.
        holds: whether a table has the content that is claimed; asked where nobody signed for it.
    """
    for one in claims:
        execution = one.execution
        if (execution.fingerprint, execution.content) in refused or not _is_sound(execution):
            continue
        key = signer(one.data, one.signature) if signer else None
        if key or (signer is None and execution.codec in PLAIN and (execution.codec != "table" or holds(execution))):
            return Borrowed(execution, Origin(client=one.client, host=one.host, at=one.at, key=key or ""))
    return None


def _is_sound(execution: Execution) -> bool:
    """Whether it can be read here, and its content is that of its output as far as the digests alone tell."""
    match execution.codec:
        case "table":
            return True
        case "files":
            return execution.content == execution.output
        case codec:
            return codec in {*PLAIN, "pickle"} and execution.content == content_of(codec, execution.output)


def sampled(fingerprint: Digest, run: int, share: float) -> bool:
    """Whether an execution belongs to a share of all: by chance, but the same for the same run.

    >>> sum(sampled(of_value(n), 1, 0.05) for n in range(2000))
    94
    """
    return int(of_value([fingerprint, run])[:13], 16) < share * 16**13
