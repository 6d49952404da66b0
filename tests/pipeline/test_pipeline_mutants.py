"""Every small change of a project: whenever a step then gives something else, its fingerprint is another."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest
from tests.pipeline.mutated import FILES, Mutant, Result, mutants, result, write

from towpath.errors import UsageError
from towpath.pipeline.code.reach import Project, Reached
from towpath.pipeline.fingerprint import fingerprint

VALUES = (2, 9)
BROKEN = Reached({}, frozenset())


def reached_in(root: Path) -> Reached:
    try:
        return Project(root, "pipeline.py").reach("rows")
    except UsageError:
        return BROKEN


def fingerprint_of(reached: Reached) -> str:
    return fingerprint(reached, parameters={}, inputs={}, seed=0)


def with_change(root: Path, mutant: Mutant) -> tuple[Result, Reached]:
    (root / mutant.file).write_text(mutant.text)
    try:
        return result(root, "rows", *VALUES), reached_in(root)
    finally:
        (root / mutant.file).write_text(FILES[mutant.file])


def is_elsewhere(now: Result, reached: Reached, root: Path, mutant: Mutant) -> bool:
    """Whether a statement that the step does not reach stopped the import of its module: the step itself is what it was."""
    if now.stopped_at is None or now.stopped_at[0] != mutant.file:
        return False
    statement = next(one for one in ast.parse(mutant.text).body if one.lineno <= now.stopped_at[1] <= (one.end_lineno or 0))
    return ast.unparse(statement) not in reached.code.values()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.parts)])
def test_no_change_of_a_result_keeps_the_fingerprint(tmp_path: Path, every: int) -> None:
    write(tmp_path, FILES)
    was, before = result(tmp_path, "rows", *VALUES), fingerprint_of(reached_in(tmp_path))
    assert was.what.startswith("[{"), was
    counts: Counter[str] = Counter()
    stale = []
    for mutant in list(dict.fromkeys(mutants(FILES)))[::every]:
        now, reached = with_change(tmp_path, mutant)
        is_same, is_known = now.what == was.what, fingerprint_of(reached) == before
        counts[f"{'same' if is_same else 'another'} result, {'same' if is_known else 'another'} fingerprint"] += 1
        if is_known and not is_same:
            counts["of these: import stopped elsewhere"] += is_elsewhere(now, reached, tmp_path, mutant)
            stale += [] if is_elsewhere(now, reached, tmp_path, mutant) else [(mutant.kind, mutant.file, now)]
    print(dict(counts))
    assert counts["another result, another fingerprint"] > 900 // every
    assert counts["same result, same fingerprint"] > 60 // every
    assert stale == []
