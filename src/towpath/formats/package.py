"""The package of a version: a manifest and the files that it names, in the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
import polars as pl
from msgspec.structs import replace

from towpath.digest import Digest
from towpath.errors import UsageError
from towpath.formats import manifest as manifests
from towpath.formats.frames import as_kind, as_polars, columns_of, kind_of, requested
from towpath.formats.golden import Golden
from towpath.formats.manifest import CODE, GOLDEN, MODEL, Manifest
from towpath.formats.port import Scores
from towpath.formats.recorded_code import load_function
from towpath.formats.scorer import OnnxScorer
from towpath.store import Store

Features = Callable[[pl.DataFrame], pl.DataFrame]


@dataclass(frozen=True)
class Package:
    """A package in memory, every file checked against its digest."""

    digest: Digest
    manifest: Manifest
    files: Mapping[str, bytes]

    def scorer(self) -> OnnxScorer:
        """The model, loaded anew; it takes the columns after `features`."""
        return OnnxScorer(self.files[MODEL], self.manifest.inputs.names, self.manifest.classes)

    def features(self) -> Features:
        """From raw rows in requested form to the model's rows, by the version's own code; without such code, the rows as they are."""
        wanted = self.manifest.features
        if wanted is None:
            return _unchanged
        code = {name.removeprefix(CODE): data for name, data in self.files.items() if name.startswith(CODE)}
        return features_of(code, wanted.module, wanted.function, unique=self.digest)

    def answerer(self) -> Callable[[pl.DataFrame], Scores]:
        """From raw rows to answers: features and model, loaded once and ready to be asked many times."""
        features, scorer, inputs = self.features(), self.scorer(), self.manifest.inputs
        return lambda rows: scorer.score(columns_of(features(requested(rows)), inputs))

    def golden(self) -> Golden:
        """The golden rows and their answers."""
        return msgspec.json.decode(self.files[GOLDEN], type=Golden)


def pack(store: Store, manifest: Manifest, files: Mapping[str, bytes]) -> Digest:
    """Put a package into the store; the digest of its manifest.

    The files are durable before the manifest that names them is there. Equal contents give an equal digest.
    """
    digests = {name: store.put(data) for name, data in sorted(files.items())}
    store.sync()
    digest = store.put(manifests.encode(replace(manifest, files=digests)))
    store.sync()
    return digest


def unpack(store: Store, digest: Digest) -> Package:
    """Read a package, all of it.

    Raises:
        UnknownName: it, or a file of it, is not in the store.
        Broken: the digest names something else, or bytes have changed.
    """
    manifest = manifests.decode(store.get(digest), digest)
    return Package(digest, manifest, {name: store.get(file) for name, file in manifest.files.items()})


def features_of(code: Mapping[str, bytes], module: str, function: str, *, unique: str) -> Features:
    """The user's `features` from its recorded code, taking and giving Polars frames, whatever frames its annotation asks for.

    Raises:
        UsageError: when loaded, that there is no such function; when called, that it gave no frame or another number of rows.
    """
    user = load_function(code, module, function, unique=unique)
    kind, source = kind_of(user), f"`{function}` of {module}"

    def features(rows: pl.DataFrame) -> pl.DataFrame:
        made = as_polars(user(as_kind(rows, kind)), source=source)
        if made.height != rows.height:
            raise UsageError(
                f"{source} gave {made.height} rows for {rows.height}",
                mend="give one row for each row, in the same order; drop rows in `rows` instead",
            )
        return made

    return features


def _unchanged(rows: pl.DataFrame) -> pl.DataFrame:
    return rows
