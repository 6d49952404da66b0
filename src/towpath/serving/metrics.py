"""What a worker counts for Prometheus: shown, never decided by. Names as MLServer's, so that its dashboards work.

Counting is a few additions a request (the client library's own counters take a lock each: 10 µs a request); the library's
families are made when somebody asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_BOUNDS = (*map(str, _BUCKETS), "+Inf")


class _Seconds:
    """Durations: how many in each bucket, and their sum."""

    __slots__ = ("buckets", "sum")

    def __init__(self) -> None:
        self.buckets = [0] * len(_BOUNDS)
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        self.buckets[bisect_left(_BUCKETS, seconds)] += 1
        self.sum += seconds


class Metrics(Collector):
    """Counters of one worker."""

    def __init__(self, model: str) -> None:
        self.in_progress = self.labels = self.dropped = 0
        self._model = model
        self._scored: dict[tuple[int, str, str], _Seconds] = {}
        self._replied: dict[tuple[str, int], _Seconds] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def scored(self, version: int, variant: str, outcome: str, seconds: float) -> None:
        """Count one scoring by a version in the role ``variant``: champion, challenger or shadow."""
        found = self._scored.get((version, variant, outcome))
        if found is None:
            found = self._scored[version, variant, outcome] = _Seconds()
        found.add(seconds)

    def replied(self, route: str, status: int, seconds: float) -> None:
        """Count one reply."""
        found = self._replied.get((route, status))
        if found is None:
            found = self._replied[route, status] = _Seconds()
        found.add(seconds)

    def text(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """The families, as the client library wants them."""
        who = ("model", "version", "variant")
        success = CounterMetricFamily("model_infer_request_success", "Requests that a version scored.", labels=who)
        failure = CounterMetricFamily("model_infer_request_failure", "Requests that a version failed.", labels=(*who, "outcome"))
        scoring = HistogramMetricFamily("model_infer_request_duration_seconds", "Scoring of one request.", labels=who)
        by_variant: dict[tuple[str, str, str], list[_Seconds]] = {}
        for (version, variant, outcome), seconds in self._scored.items():
            labels = (self._model, str(version), variant)
            by_variant.setdefault(labels, []).append(seconds)
            if outcome == "ok":
                success.add_metric(labels, sum(seconds.buckets))
            else:
                failure.add_metric((*labels, outcome), sum(seconds.buckets))
        for labels, parts in by_variant.items():
            _add(scoring, labels, parts)
        yield from (success, failure, scoring)
        yield from self._of_replies()
        yield GaugeMetricFamily("rest_server_requests_in_progress", "Requests not yet replied to.", self.in_progress)
        yield CounterMetricFamily("towpath_labels", "Labels taken.", self.labels)
        yield CounterMetricFamily("towpath_shadow_dropped", "Shadow copies not scored, since too many waited.", self.dropped)

    def _of_replies(self) -> Iterator[Metric]:
        requests = CounterMetricFamily("rest_server_requests", "Requests by route and status.", labels=("path", "status_code"))
        duration = HistogramMetricFamily("rest_server_requests_duration_seconds", "From request to reply.", labels=("path",))
        by_route: dict[str, list[_Seconds]] = {}
        for (route, status), seconds in self._replied.items():
            requests.add_metric((route, str(status)), sum(seconds.buckets))
            by_route.setdefault(route, []).append(seconds)
        for route, parts in by_route.items():
            _add(duration, (route,), parts)
        yield from (requests, duration)


def _add(family: HistogramMetricFamily, labels: tuple[str, ...], parts: Iterable[_Seconds]) -> None:
    parts = list(parts)
    counts = [sum(column) for column in zip(*(part.buckets for part in parts), strict=True)]
    buckets: list[tuple[str, float]] = list(zip(_BOUNDS, map(float, accumulate(counts)), strict=True))
    family.add_metric(labels, buckets, sum(part.sum for part in parts))
