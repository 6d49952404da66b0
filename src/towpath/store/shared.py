"""Executions that a team shares: what this machine executed is told, with all that it made; what others did is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from towpath.digest import Digest
from towpath.errors import Broken, Unavailable, UnknownName, UsageError
from towpath.store import trees
from towpath.store.port import Execution, Store
from towpath.store.remote.batches import Batch, Signed, Told, of_batch
from towpath.store.remote.remote import Remote

FILES, PARTS = "files", "parts"  # the codec of a tree, and that of the parts of a table


def parts(store: Store, codec: str, output: Digest) -> Iterator[Digest]:
    """Every object that an output consists of; what is named comes before what names it.

    Raises:
        UnknownName, Broken: as ``Store.get``, of a tree's nodes.
    """
    if codec == PARTS:
        for _, one in msgspec.json.decode(store.get(output))["parts"]:
            yield from parts(store, one["codec"], Digest(one["output"]))
    if codec == FILES:
        yield from (file.digest for file in trees.files(store, output))
        yield from reversed(list(trees.nodes(store, output)))
    else:
        yield output


class Shared:
    """A remote that does not answer stops nobody: that is told, what an earlier look found is used, and what was not sent is sent later.

    ``folder`` belongs to this machine: it has the fingerprints of executions that are not sent yet, also after a kill.
    """

    def __init__(self, store: Store, remote: Remote, folder: Path, tell: Callable[[str], None]) -> None:
        self._store, self._remote, self._folder, self._tell = store, remote, folder, tell
        self._has_looked, self._is_down = False, False

    def of(self, fingerprint: Digest) -> list[Told]:
        """What the team told of a fingerprint whose output can be had, the oldest first. The team is asked once."""
        if not self._has_looked:
            self._has_looked = True
            with self._going_on():
                self._remote.executions.look()
            if self._is_down:
                self._remote.executions.look_here()
        return [told for told in self._remote.executions.of(fingerprint) if self._can_be_had(told.execution.output)]

    def _can_be_had(self, output: Digest) -> bool:
        if self._store.has(output):
            return True
        if not self._is_down:
            with self._going_on():
                return self._remote.knows(output)
        return False

    @contextmanager
    def _going_on(self) -> Iterator[None]:
        try:
            yield
        except (Unavailable, UsageError) as fault:
            self._is_down = True
            self._tell(f"no executions are shared with others for now, the next run tries again: {fault.what}")

    def note(self, fingerprint: Digest) -> None:
        """This machine executed it: it is to be sent."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / fingerprint).touch()

    def send(self, client: str, host: str, at: datetime, sign: Callable[[bytes], str]) -> None:
        """Send what is not sent yet: what was made and of what, then the batch that names it. ``sign`` may raise UsageError."""
        if self._is_down:
            return
        noted = [Digest(path.name) for path in sorted(self._folder.iterdir())] if self._folder.is_dir() else []
        executions = tuple(found for one in noted if (found := self._whole(one)))
        with self._going_on():
            if executions:
                self._send(Batch(client=client, host=host, at=at, executions=executions), sign)
            for one in noted:
                (self._folder / one).unlink(missing_ok=True)

    def _send(self, batch: Batch, sign: Callable[[bytes], str]) -> None:
        data = of_batch(batch)
        signed = Signed(data, sign(data))
        objects = dict.fromkeys(digest for one in batch.executions for digest in self._objects(one))
        self._remote.push(self._store, [(digest, self._store.size(digest)) for digest in objects])
        self._remote.executions.add(signed)

    def _whole(self, fingerprint: Digest) -> Execution | None:
        """None where what was made is no longer here: then there is nothing to send."""
        found = self._store.recall(fingerprint)
        try:
            return found if found and not self._store.missing(parts(self._store, found.codec, found.output)) else None
        except (UnknownName, Broken):
            return None

    def _objects(self, execution: Execution) -> Iterator[Digest]:
        if self._store.has(execution.fingerprint):  # what it was made of, spelled out
            yield execution.fingerprint
        yield from parts(self._store, execution.codec, execution.output)
