"""The executor that a project declares."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from towpath.executors.local import LocalExecutor
from towpath.pipeline.executor import Executor
from towpath.project import Project
from towpath.store import Store


def opened(project: Project, store: Store, environ: Mapping[str, str]) -> Executor:
    """Begin it. Raises Unavailable where a cluster does not answer."""
    if project.executor == "local":
        return LocalExecutor(project, environ)
    home = import_module("towpath.executors.node").Home(str(project.root), str(project.home), project.remote)
    address = environ.get("RAY_ADDRESS", "auto") if project.executor == "ray" else project.executor
    executor: Executor = import_module("towpath.executors.ray").RayExecutor(home, store, address)
    return executor
