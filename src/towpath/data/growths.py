"""How much datasets have grown since what a model was trained on, for whoever asks again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import msgspec

from towpath.data import keys
from towpath.data.growth import Growth, growth, growth_by_key, peek, state_of
from towpath.data.index import Index
from towpath.data.manifest import files_of
from towpath.data.sides import whole
from towpath.data.sources.opening import opened
from towpath.data.stand_ins import standing_in
from towpath.digest import Digest, canonical_json, of_value
from towpath.errors import Refused, UnknownName
from towpath.project import Dataset
from towpath.store import Execution, Store
from towpath.store.trees import FileEntry

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Growths:
    """Looks at file marks each time. What it found is kept while files and trained snapshot are the same, over processes too."""

    def __init__(self, root: Path, store: Store, index: Index) -> None:
        self._root, self._store, self._index = root, store, index
        self._known: dict[str, tuple[Digest, Growth]] = {}

    def of(
        self, name: str, dataset: Dataset, trained: Digest | None, erased: Mapping[str, str] = _NOTHING, *, accepted: bool = True
    ) -> Growth:
        """The growth of a dataset since the snapshot ``trained``, by key where it has one.

        Args:
            accepted: whether no gate refused what was trained on it. If one did, a file that was rewritten since may be the mend:
                then its rows count, though their keys are known.
            erased: what stands in for erased objects: rows that were taken out of a file make it no new one.

        Raises:
            UsageError: there are no files.
            Unavailable: the source does not answer, or files change while they are read for their keys.
        """
        files = peek(dataset, self._root, self._index)
        key = dataset.key if accepted else ()
        question = of_value(["growth", 1, state_of(files), trained, key, len(erased)])
        if name in self._known and self._known[name][0] == question:
            return self._known[name][1]
        found = self._noted(question) or self._found(question, dataset, key, files, trained, erased)
        self._known[name] = question, found
        return found

    def _noted(self, question: Digest) -> Growth | None:
        noted = self._store.recall(question)
        return msgspec.json.decode(self._store.get(noted.output), type=Growth) if noted else None

    def _found(
        self,
        question: Digest,
        dataset: Dataset,
        key: Sequence[str],
        files: Sequence[FileEntry],
        trained: Digest | None,
        erased: Mapping[str, str],
    ) -> Growth:
        before = standing_in(files_of(self._store, trained), erased) if trained else None
        if not key or before is None:
            return growth(files, before)
        try:
            found = growth_by_key(files, before, self._keys(dataset, files))
        except (Refused, UnknownName):
            return growth(files, before)  # a file without that key, or one that this machine does not have: by files, until it has
        output = self._store.put(canonical_json(found))
        self._store.remember(Execution(fingerprint=question, step="growth", output=output, content=output, seconds=0.0))
        return found

    def _keys(self, dataset: Dataset, files: Sequence[FileEntry]) -> _Keys:
        return _Keys(self._root, self._store, dataset, {file.digest: file.path for file in files})


class _Keys:
    """The keys of files: of those that are here read through the source, of others from the store."""

    def __init__(self, root: Path, store: Store, dataset: Dataset, here: dict[Digest, str]) -> None:
        self._store, self._dataset, self._here = store, dataset, here
        self._source = opened(dataset, root)
        self._found = {file.name: file for file in self._source.look().files}

    def __call__(self, file: FileEntry) -> keys.Keys:
        return keys.of_file(self._store, file, self._dataset.key, self._take)

    def _take(self, file: FileEntry) -> bytes:
        path = self._here.get(file.digest)
        if path in self._found:
            return whole(self._source, self._found[path], file.digest)
        return self._store.get(file.digest)
