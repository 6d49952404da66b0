"""Who measures the trials of a project's search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module

from towpath.executors.opening import address_of
from towpath.project import Project
from towpath.project_search import Search
from towpath.search.crews import here
from towpath.search.port import Crew, Objective


def crew(project: Project, environ: Mapping[str, str]) -> Callable[[Objective], Crew]:
    """Who measures the folds of the project's search, where its steps execute."""
    slots = (project.search or Search()).parallel
    if project.executor == "local":
        return here(slots)
    ray_crew: Callable[..., Crew] = import_module("towpath.executors.ray_crew").RayCrew
    return partial(ray_crew, slots=slots, address=address_of(project, environ))
