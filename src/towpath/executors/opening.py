"""The executor that a project declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from importlib import import_module

from towpath.executors.local import LocalExecutor
from towpath.pipeline.executor import Executor
from towpath.project import Project
from towpath.store import Store


@contextmanager
def early(project: Project, environ: Mapping[str, str], *, soon: bool) -> Iterator[LocalExecutor | None]:
    """Where something will have to be executed ``soon``: a worker of this machine that begins while it is found out what."""
    if not soon or project.executor != "local" or not (project.pipeline or project.steps):
        yield None
        return
    with closing(LocalExecutor(project, environ)) as here:
        here.warm()
        yield here


def opened(project: Project, store: Store, environ: Mapping[str, str], hands: LocalExecutor | None = None) -> Executor:
    """Who executes: ``hands``, where they are those that the project names. Raises Unavailable where a cluster does not answer."""
    if project.executor == "local":
        return hands if hands and hands.is_of(project) else LocalExecutor(project, environ)
    home = import_module("towpath.executors.node").Home(str(project.root), str(project.home), project.remote)
    executor: Executor = import_module("towpath.executors.ray").RayExecutor(home, store, address_of(project, environ))
    return executor


def address_of(project: Project, environ: Mapping[str, str]) -> str:
    """Of the cluster that a project names."""
    return environ.get("RAY_ADDRESS", "auto") if project.executor == "ray" else project.executor
