"""The manifest of a package. Its digest is the version's digest, so it says nothing that differs between two equal packages."""

from __future__ import annotations

from typing import Literal

import msgspec

from towpath.digest import Digest, canonical_json
from towpath.errors import Broken
from towpath.formats.port import Label
from towpath.formats.schema import Schema

MODEL, TRAINED, GOLDEN, CODE = "model.onnx", "trained.pkl", "golden.json", "features/"


class FeaturesFunction(msgspec.Struct, frozen=True, kw_only=True):
    """The row-wise function between request and model: ``module`` as it is imported, its file among the package's under ``features/``."""

    module: str
    function: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a package is. No times and no names of runs: equal contents give equal bytes.

    ``raw`` is what a request carries, ``inputs`` what the model takes after ``features``. ``classes`` are in the order of the
    probabilities, empty for a regression, of which an absolute error above ``wrong_over`` counts as a wrong answer.
    """

    form: Literal[1] = 1
    task: Literal["binary", "multiclass", "regression"]
    label: str
    classes: tuple[Label, ...] = ()
    raw: Schema
    inputs: Schema
    files: dict[str, Digest] = {}
    features: FeaturesFunction | None = None
    wrong_over: float | None = None
    made_with: dict[str, str] = {}


def encode(manifest: Manifest) -> bytes:
    """The one form of a manifest in bytes."""
    return canonical_json(manifest)


def decode(data: bytes, digest: Digest) -> Manifest:
    """A manifest from its bytes. Raises Broken."""
    try:
        return msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, msgspec.ValidationError) as fault:
        raise Broken(
            f"object {digest} is no manifest of a package: {fault}", mend="name the digest of a version (`towpath status`)"
        ) from None
