"""What a server is started with: one frozen value, checked when it is made."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Literal

import msgspec

from towpath.errors import UsageError

Scope = Literal["predict", "labels", "admin"]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """For drills: the challenger's scorer raises for this share of the requests of a stage, by a hash of the prediction id."""

    arm: Literal["challenger"] = "challenger"
    stage: Literal["canary", "shadow"] = "canary"
    share: float


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one server.

    ``tokens`` maps a token to its scopes: ``predict`` (infer, model pages), ``labels``, ``admin`` (status, metrics). Without
    any, whoever reaches the address may do everything, which is why only a loopback address is allowed then.
    """

    model: str  # its name in the routes
    environment: str = "production"
    host: str = "127.0.0.1"
    port: int = 8080  # 0: any free one; the ready file tells which
    spool: Path  # this server's workers write their answered requests here
    cache: Path  # the last known assignment, and the code of `features` functions
    ready_file: Path | None = None  # written once requests are answered: {"port": ..., "pid": ...}
    replay: Path | None = None  # the file of a replay's clock
    fault: Fault | None = None
    tokens: dict[str, tuple[Scope, ...]] = {}
    shared_port: bool = False  # several workers listen on the port, and the kernel shares requests among them
    dies_with_parent: bool = False  # a worker of a supervisor
    body_bytes: int = 4 << 20  # a larger request is refused
    poll_s: float = 0.2  # between two looks at the source
    hold_s: float = 300.0  # so long may the source be out of reach before the challenger's share falls to 0
    backlog: int = 256  # shadow copies that may wait for the challenger
    drain_s: float = 10.0  # requests in flight have so long to end when the server is stopped

    def __post_init__(self) -> None:
        if not self.tokens and not is_loopback(self.host):
            raise UsageError(
                f"a server on {self.host}, which others can reach, needs tokens: labels steer releases",
                mend="declare tokens with their scopes (predict, labels, admin), or bind to 127.0.0.1",
            )
        if self.fault is not None and self.replay is None:
            raise UsageError("a planted fault was asked for outside of a replay", mend="faults go with `--replay` only: drop the fault")
        if self.fault is not None and not 0 <= self.fault.share <= 1:
            raise UsageError(f"a fault's share is between 0 and 1, not {self.fault.share}", mend="write it as 3% or 0.03")
        if not 0 <= self.port <= 65535:
            raise UsageError(f"{self.port} is no port", mend="give one from 1 to 65535, or 0 for any free one")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "example.org")]
    [True, True, True, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
