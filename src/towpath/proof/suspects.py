"""Where a difference most likely comes from: what its causes say first; where they say nothing, executing it once more, and on one core."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from towpath.digest import Digest
from towpath.errors import TowpathError
from towpath.pipeline.reasons import Change, differences, in_words
from towpath.pipeline.reuse import Reuse
from towpath.pipeline.work import Call
from towpath.proof.made import Bench, shop_of
from towpath.report.reproduction import Suspect
from towpath.store import Store

ONE_CORE = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS"), "1"
)
LAYERS = {"inputs": "data"}
ORDER = ("inputs", "code", "command", "parameters", "seed", "image", "distributions", "surroundings")
SHOWN = 3


def causes(store: Store, fingerprint: Digest) -> dict[str, Any] | None:
    """What an execution depended on; None where that is no longer known."""
    return msgspec.json.decode(store.get(fingerprint), type=dict[str, Any]) if store.has(fingerprint) else None


def suspect(here: Bench, step: str, before: tuple[Digest, Digest], now: tuple[Digest, Digest]) -> Suspect:
    """The layer in which the first of two executions of a step differs from what was executed before.

    Args:
        before: fingerprint and content of the execution that is recorded.
        now: those of the one that was made again.
    """
    (known_by, content), (again_by, found) = before, now
    if known_by != again_by:
        was, is_now = causes(here.place.store, known_by), causes(here.place.store, again_by)
        if was is None or is_now is None:
            return Suspect(layer="unknown", because=f"step {step} depends on something else now; what it depended on is not in the store")
        return by_causes(differences(was, is_now))
    return by_execution(lambda environ: _again(here, step, environ), content, found, _weaknesses(here, step))


def by_causes(changes: list[Change]) -> Suspect:
    """The layer that differs; of several, the one that others follow from."""
    ranked = sorted(changes, key=lambda change: ORDER.index(change.layer) if change.layer in ORDER else len(ORDER))
    layer = ranked[0].layer
    said = [in_words(change) for change in ranked if change.layer == layer]
    more = f", and {len(said) - SHOWN:,} more" if len(said) > SHOWN else ""
    return Suspect(layer=LAYERS.get(layer, layer), because="; ".join(said[:SHOWN]) + more)


def by_execution(again: Callable[[Mapping[str, str]], Digest], before: Digest, found: Digest, weaknesses: str) -> Suspect:
    """Of an execution whose causes are all the same."""
    try:
        if again({}) == found:
            if again(ONE_CORE) == before:
                return Suspect(layer="threads", because="on one core it makes what it made before")
            return Suspect(
                layer="unknown", because=f"it makes the same each time here, and something else there, from the same causes{weaknesses}"
            )
        if again(ONE_CORE) == again(ONE_CORE):
            return Suspect(layer="threads", because="it makes something else each time, and the same on one core")
    except TowpathError as fault:
        return Suspect(layer="unknown", because=f"executed once more, it failed: {fault.what.splitlines()[0]}")
    return Suspect(layer="seed", because=f"it makes something else each time, also on one core{weaknesses}")


def _again(here: Bench, step: str, environ: Mapping[str, str]) -> Digest:
    """The content of one more execution, with other variables."""
    asked, given = here.asked(step)
    with tempfile.TemporaryDirectory(prefix="towpath-again-") as logs:
        place = replace(here.place, environ={**here.place.environ, **environ}, logs=Path(logs), tell=lambda text: None)
        with shop_of(here.project, here.source, place, Reuse(afresh=True)) as shop:
            done = shop.make([asked], given)
    return next(one.value.content for one in done if one.step == step)


def _weaknesses(here: Bench, step: str) -> str:
    work = here.asked(step)[0].work
    found = here.source.weaknesses(work.function) if isinstance(work, Call) else ()
    return f"; what its fingerprint cannot know: {'; '.join(found[:SHOWN])}" if found else ""
