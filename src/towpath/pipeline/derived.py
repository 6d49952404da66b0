"""Values that a run makes itself of others, between its steps: kept as executions, so that who takes rows out of everything finds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from towpath.digest import Digest, canonical_json, of_value
from towpath.pipeline import codecs
from towpath.pipeline.values import Value
from towpath.store import Execution, Store


def keep(made: Any, store: Store, *, name: str, of: Mapping[str, Digest]) -> Value:
    """Keep a value. ``of``: the contents that it was made of, by name. Raises as ``codecs.keep``."""
    value = codecs.keep(made, store, step=name)
    causes = {"derived": name, "inputs": dict(of), "content": value.content}
    fingerprint = of_value(causes)
    if store.recall(fingerprint) is None:
        store.put(canonical_json(causes))
        store.remember(
            Execution(fingerprint=fingerprint, step=name, output=value.output, content=value.content, seconds=0.0, codec=value.codec)
        )
    return value
