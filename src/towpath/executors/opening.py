"""The executor that a project declares."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from towpath.executors.local import LocalExecutor
from towpath.pipeline.executor import Executor
from towpath.project import Project
from towpath.store import Store


def opened(project: Project, store: Store, environ: Mapping[str, str], *, soon: bool = False) -> Executor:
    """Begin it; with what its first task needs, where one will be there ``soon``. Raises Unavailable where a cluster does not answer."""
    if project.executor == "local":
        here = LocalExecutor(project, environ)
        if soon:
            here.warm()
        return here
    home = import_module("towpath.executors.node").Home(str(project.root), str(project.home), project.remote)
    executor: Executor = import_module("towpath.executors.ray").RayExecutor(home, store, address_of(project, environ))
    return executor


def address_of(project: Project, environ: Mapping[str, str]) -> str:
    """Of the cluster that a project names."""
    return environ.get("RAY_ADDRESS", "auto") if project.executor == "ray" else project.executor
