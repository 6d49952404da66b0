"""A store in this process's memory: for tests and notebooks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from towpath.digest import Digest, of_bytes
from towpath.store.port import Execution, corrupt, unknown


class MemoryStore:
    """Keeps objects in a dict."""

    def __init__(self) -> None:
        self.objects: dict[Digest, bytes] = {}
        self._executions: dict[Digest, Execution] = {}

    def put(self, data: bytes) -> Digest:
        digest = of_bytes(data)
        self.objects.setdefault(digest, bytes(data))
        return digest

    def put_file(self, path: str | Path) -> Digest:
        return self.put(Path(path).read_bytes())

    def get(self, digest: Digest) -> bytes:
        if digest not in self.objects:
            raise unknown(digest)
        data = self.objects[digest]
        if (found := of_bytes(data)) != digest:
            raise corrupt(digest, found, "memory")
        return data

    def get_file(self, digest: Digest, target: Path) -> None:
        data = self.get(digest)
        with target.open("xb") as file:
            file.write(data)

    def has(self, digest: Digest) -> bool:
        return digest in self.objects

    def size(self, digest: Digest) -> int:
        if digest not in self.objects:
            raise unknown(digest)
        return len(self.objects[digest])

    def missing(self, digests: Iterable[Digest]) -> set[Digest]:
        return set(digests) - self.objects.keys()

    def sync(self) -> None:
        return None

    def remember(self, execution: Execution) -> None:
        self._executions[execution.fingerprint] = execution

    def recall(self, fingerprint: Digest) -> Execution | None:
        execution = self._executions.get(fingerprint)
        return execution if execution and self.has(execution.output) else None
