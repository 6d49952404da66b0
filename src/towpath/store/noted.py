"""Executions that are noted in a folder: ``executions/ab/cdef....json`` by fingerprint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from towpath.digest import Digest
from towpath.store.port import Execution


def path_of(root: Path, fingerprint: Digest) -> Path:
    """Where an execution is noted, or would be."""
    return root / "executions" / fingerprint[:2] / f"{fingerprint[2:]}.json"


def noted(root: Path, fingerprint: Digest) -> Execution | None:
    """An execution; None where there is no note, or a torn one: that costs one execution, never a wrong answer."""
    try:
        return msgspec.json.decode(path_of(root, fingerprint).read_bytes(), type=Execution)
    except (FileNotFoundError, msgspec.DecodeError, msgspec.ValidationError):
        return None


def every(root: Path) -> Iterator[Execution]:
    """Every execution that is noted and whose note can be read."""
    for path in sorted((root / "executions").glob("*/*.json")):
        with suppress(msgspec.DecodeError, msgspec.ValidationError, FileNotFoundError):
            yield msgspec.json.decode(path.read_bytes(), type=Execution)
