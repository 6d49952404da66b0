"""Who puts into the store what nothing names yet, and who must be alone with it because they remove."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from towpath.errors import Unavailable
from towpath.locks import RUN, STORE, lock_of
from towpath.project import Project


@contextmanager
def putting(project: Project, who: str) -> Iterator[None]:
    """While objects are put that nothing names yet, nobody removes any."""
    with lock_of(project.home, STORE).held(who, shared=True) as mine:
        if not mine:
            raise Unavailable("what nobody needs is just being removed from the store", mend="wait for its end, then try again")
        yield


@contextmanager
def alone(project: Project, who: str) -> Iterator[None]:
    """Nobody puts anything into the store: no run, no addition."""
    run, store = lock_of(project.home, RUN), lock_of(project.home, STORE)
    with run.held(who) as no_run, store.held(who) as no_addition:
        if not (no_run and no_addition):
            holder = (store if no_run else run).holder() or "a run"
            raise Unavailable(f"{holder} is going on: what it puts there is not named yet", mend="wait for its end, then try again")
        yield
