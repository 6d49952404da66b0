"""When is an execution the same? Its code, parameters, seed, inputs and surroundings, as one digest."""

from __future__ import annotations

import importlib.metadata as metadata
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from towpath.digest import Digest, of_value
from towpath.pipeline.reach import Reached

ENGINE = "polars"  # frames come as Polars where a step names no library


def fingerprint(reached: Reached, *, parameters: Mapping[str, Any], inputs: Mapping[str, Digest], seed: int) -> Digest:
    """Digest of everything that can change what a step makes: of its ``causes``."""
    return of_value(causes(reached, parameters=parameters, inputs=inputs, seed=seed))


def causes(reached: Reached, *, parameters: Mapping[str, Any], inputs: Mapping[str, Digest], seed: int) -> dict[str, Any]:
    """Everything that can change what a step makes, spelled out, for whoever asks why it ran again.

    Args:
        reached: the step's code and what it can reach.
        inputs: content digests by parameter name.
    """
    return {
        "code": reached.code,
        "parameters": dict(parameters),
        "inputs": dict(inputs),
        "seed": seed,
        "distributions": versions({*reached.imports, ENGINE}),
        "surroundings": surroundings(),
    }


def surroundings() -> dict[str, str]:
    """Python's minor version, the system and the architecture."""
    return {"python": f"{sys.version_info.major}.{sys.version_info.minor}", "system": platform.system(), "machine": platform.machine()}


def versions(modules: Iterable[str]) -> dict[str, str]:
    """Versions of the distributions that provide modules, and of all that those require."""
    found: dict[str, str] = {}
    open_ends = [name for module in sorted(modules) if module not in sys.stdlib_module_names for name in _providers(module)]
    while open_ends:
        name = open_ends.pop()
        if name in found:
            continue
        version, required = _distribution(name)
        if version:
            found[name] = version
            open_ends += required
    return dict(sorted(found.items()))


@cache
def _providers(module: str) -> tuple[str, ...]:
    if _distribution(_normal(module))[0]:
        return (_normal(module),)
    return tuple(sorted({_normal(name) for name in _packages().get(module, ())}))


@cache
def _packages() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


@cache
def _distribution(name: str) -> tuple[str, tuple[str, ...]]:
    """Version and what it requires without extras; an empty version when it is not installed."""
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return "", ()
    needed = [line for line in distribution.requires or () if "extra ==" not in line]
    return distribution.version, tuple(_normal(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]) for line in needed)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
