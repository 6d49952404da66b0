"""What draws without a seed draws the same in each execution, whatever was executed before."""

from __future__ import annotations

import random
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from towpath.pipeline.seeds import sow


def test_what_is_loaded_is_sown(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(manual_seed=told.append))  # the library itself is large
    drawn = []
    for _ in range(2):
        sow(7)
        drawn.append((random.random(), np.random.random()))
    assert drawn[0] == drawn[1]
    assert told == [7, 7]
