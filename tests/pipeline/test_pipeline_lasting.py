"""What a step leaves in its process for others is named; what is done on import, or to objects of its own, is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from towpath.pipeline.code.listed import STATE
from towpath.pipeline.code.reach import Project
from towpath.pipeline.code.weaknesses import in_words

HEAD = """import functools, itertools, random
import numpy as np, polars as pl
from collections import Counter, defaultdict
import helper; from helper import SHARED
class Made:
    n = 0
    def __init__(self):
        self.rows = []
    def note(self, row):
        self.rows.append(row)
CACHE, LIST, K, FRAME = {}, [], Made(), pl.DataFrame({"a": [1]})
COUNTER = itertools.count(); RNG = np.random.default_rng(3); DRAW = RNG.random; OLD = random.Random(3); LINES = (n for n in LIST)
PER, LIMITS = defaultdict(list), {"km": 3}
def numbers():
    yield 1
NUMBERS = numbers()
"""
HELPER = "import random\nSHARED = []\nRNG = random.Random(1)\ndef append(x):\n    return x\n"


def told(root: Path, text: str) -> tuple[str, ...]:
    (root / "helper.py").write_text(HELPER)
    (root / "pipeline.py").write_text(HEAD + text)
    return Project(root, "pipeline.py").weaknesses("rows")


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("CACHE[1] = rides", "CACHE"),
        ("del CACHE[1]", "CACHE"),
        ("CACHE[1] += 1", "CACHE"),
        ("LIST.append(1)", "LIST"),
        ("return LIST.pop()", "LIST"),
        ("LIST.sort()", "LIST"),
        ("PER[1].append(2)", "PER[1]"),
        ("PER.setdefault(1, []).append(2)", "PER.setdefault(1, [])"),
        ("K.n += 1", "K"),
        ("Made.n += 1", "Made"),
        ("rows.calls = 1", "rows"),
        ("np.answer = 1", "np"),
        ("SHARED.append(1)", "SHARED"),
        ("helper.SHARED.append(1)", "helper.SHARED"),
        ("known = CACHE; known[1] = 2", "known"),
        ("for one in LIST: one.append(1)", "one"),
        ("return next(COUNTER)", "COUNTER"),
        ("return RNG.normal()", "RNG"),
        ("return DRAW()", "DRAW"),
        ("return RNG", "RNG"),
        ("return OLD.random()", "OLD"),
        ("return helper.RNG.random()", "helper"),
        ("return list(LINES)", "LINES"),
        ("return list(NUMBERS)", "NUMBERS"),
        ("return [(lambda: LIST.append(one))() for one in rides]", "LIST"),
    ],
)
def test_what_outlasts_a_step_is_named(tmp_path: Path, body: str, shown: str) -> None:
    line = HEAD.count("\n") + 2
    assert f"pipeline.py:{line}: {in_words(shown, STATE)}" in told(tmp_path, f"def rows(rides):\n    {body}\n")


@pytest.mark.parametrize(
    "text",
    [
        "def rows(rides, *, seen=[]):\n    seen.append(1)\n",
        "def rows(rides, *, seen={}):\n    seen[1] = 2\n",
        "def rows(rides, *, seen=Counter()):\n    seen.update(rides)\n",
        "def rows(rides, *, rng=np.random.default_rng(3)):\n    return rng.random()\n",
        "def noted(row):\n    LIST.append(row)\ndef rows(rides):\n    noted(1)\n",
        "def counted(f):\n    def inner(*a):\n        LIST.append(1)\n        return f(*a)\n    return inner\n"
        "@counted\ndef rows(rides):\n    return 1\n",
        "def by(n):\n    def counted(f):\n        def inner(*a):\n            LIST.append(n)\n"
        "            return f(*a)\n        return inner\n    return counted\n"
        "@by(1)\ndef rows(rides):\n    return 1\n",
        "def noted(row):\n    LIST.append(row)\nTABLE = {'a': noted}\ndef rows(rides):\n    TABLE['a'](1)\n",
    ],
)
def test_it_is_named_however_it_is_come_to(tmp_path: Path, text: str) -> None:
    assert any(STATE.what in one for one in told(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "def rows(rides):\n    return LIMITS['km'], CACHE.get(1), LIST[0], K.n, FRAME.sort('a'), LIST.index(1)\n",
        "def rows(rides):\n    found = []\n    found.append(1)\n    found[0] = 2\n    return found\n",
        "def rows(rides):\n    LIST = []\n    LIST.append(1)\n    return LIST\n",
        "def rows(rides):\n    copy = CACHE.copy()\n    copy[1] = 2\n    return np.append(LIST, 1), helper.append(1)\n",
        "def rows(rides):\n    rng = np.random.default_rng(3)\n    return rng.random()\n",
        "def rows(rides):\n    made = Made()\n    made.n = 3\n    return made\n",
        "def rows(rides, *, limits=()):\n    return [*limits]\n",
        "def rows(rides, *, limits={'a': 1}):\n    return limits['a']\n",
        "@functools.cache\ndef slow(x):\n    return x\ndef rows(rides):\n    return slow(1)\n",
        "def register(f):\n    CACHE[f.__name__] = f\n    return f\n"
        "@register\ndef one():\n    return 1\ndef rows(rides):\n    return CACHE['one']()\n",
        "def register(name):\n    def inner(f):\n        CACHE[name] = f\n        return f\n    return inner\n"
        "@register('one')\ndef one():\n    return 1\ndef rows(rides):\n    return CACHE['one']()\n",
        "def fill():\n    LIST.append(1)\nfill()\ndef rows(rides):\n    return LIST\n",
        "CACHE[1] = 2\nLIST.append(3)\nFIRST = RNG.random()\ndef rows(rides):\n    return CACHE, LIST, FIRST\n",
    ],
)
def test_what_a_step_makes_itself_or_is_done_on_import_is_not_named(tmp_path: Path, text: str) -> None:
    assert [one for one in told(tmp_path, text) if STATE.what in one] == []
