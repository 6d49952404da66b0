"""Whether what is to be run is older than what is there already: said before time is spent on it. Nothing is refused for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from towpath.pipeline.worktree import Tree, is_descendant
from towpath.release.controller import PRODUCTION
from towpath.state import State


def warnings(root: Path, source: Tree, state: State) -> Iterator[str]:
    """Sentences, where the commit lacks what made the champion, or what others pushed."""
    commit = source.commit
    champion = state.live.champion(PRODUCTION)
    made_by = next((run for run in state.runs.all.values() if champion and run.version == champion), None)
    if made_by and made_by.commit != commit and not is_descendant(root, commit, made_by.commit):
        yield (
            f"warning: version {champion}, which serves, was made from commit {made_by.commit[:8]}, and that is not among those before "
            f"{commit[:8]}: what it changed is not in this run. `git merge {made_by.commit[:8]}` (after `git fetch`) takes it in"
        )
    if count := source.behind:
        yield f"warning: this branch is {count:,} commit{'s' if count > 1 else ''} behind {source.upstream}: `git pull` takes them in"
