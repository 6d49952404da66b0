"""Evaluation: how good a model is, on rows that training never saw, and how sure that is.

Exported here is what needs no numeric library: the names of the metrics and the ways to split. The arithmetic
is imported by its own module (``metrics``, ``compare``, ``slices``, ``baseline``, ``splits``).
"""

from towpath.evaluation.names import TASKS, Direction, MetricName, find, names
from towpath.evaluation.ways import Groups, Last, Random, Way

__all__ = ["TASKS", "Direction", "Groups", "Last", "MetricName", "Random", "Way", "find", "names"]
