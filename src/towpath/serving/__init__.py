"""Serving: Open Inference Protocol over HTTP: route, score, answer, count."""

from towpath.serving.port import Assignment, Served, Source
from towpath.serving.settings import Fault, ServerSettings

__all__ = ["Assignment", "Fault", "Served", "ServerSettings", "Source"]
