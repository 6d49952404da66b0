"""Seeds: derived from project, step and the declared seed, never from data or code."""

from __future__ import annotations

import random
import sys

from towpath.digest import of_bytes


def seed_of(project: str, step: str, seed: int) -> int:
    """The seed of a step. Between 0 and 2**32 - 1.

    >>> seed_of("flights", "rows", 0) == seed_of("flights", "rows", 0) != seed_of("flights", "model", 0)
    True
    """
    return int(of_bytes(f"{project}/{step}/{seed}".encode())[:8], 16)


def sow(seed: int) -> None:
    """Seed what users' libraries draw from when they are given no seed: ``random``, and the global generators of NumPy and PyTorch.

    Of the latter two, those that are loaded: a step's task says which it needs.
    """
    random.seed(seed)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(seed)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(seed)
