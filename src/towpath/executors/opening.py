"""The executor that a project declares, and who measures its trials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module

from towpath.executors.local import LocalExecutor
from towpath.pipeline.executor import Executor
from towpath.project import Project
from towpath.project_search import Search
from towpath.search.crews import here
from towpath.search.port import Crew, Objective
from towpath.store import Store


def opened(project: Project, store: Store, environ: Mapping[str, str]) -> Executor:
    """Begin it. Raises Unavailable where a cluster does not answer."""
    if project.executor == "local":
        return LocalExecutor(project, environ)
    home = import_module("towpath.executors.node").Home(str(project.root), str(project.home), project.remote)
    executor: Executor = import_module("towpath.executors.ray").RayExecutor(home, store, _address(project, environ))
    return executor


def crew(project: Project, environ: Mapping[str, str]) -> Callable[[Objective], Crew]:
    """Who measures the folds of the project's search, where its steps execute."""
    slots = (project.search or Search()).parallel
    if project.executor == "local":
        return here(slots)
    ray_crew: Callable[..., Crew] = import_module("towpath.executors.ray_crew").RayCrew
    return partial(ray_crew, slots=slots, address=_address(project, environ))


def _address(project: Project, environ: Mapping[str, str]) -> str:
    return environ.get("RAY_ADDRESS", "auto") if project.executor == "ray" else project.executor
