"""What a worker counts for Prometheus: shown, never decided by. Names as MLServer's, so that its dashboards work."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """Counters of one worker."""

    def __init__(self, model: str) -> None:
        self.registry = CollectorRegistry()
        self._model = model
        who = ("model", "version", "variant")
        self._success = Counter("model_infer_request_success", "Requests that a version scored.", who, registry=self.registry)
        self._failure = Counter("model_infer_request_failure", "Requests that a version failed.", (*who, "outcome"), registry=self.registry)
        self._seconds = Histogram(
            "model_infer_request_duration_seconds", "Scoring of one request.", who, buckets=_BUCKETS, registry=self.registry
        )
        self._requests = Counter("rest_server_requests", "Requests by route and status.", ("path", "status_code"), registry=self.registry)
        self._duration = Histogram(
            "rest_server_requests_duration_seconds", "From request to reply.", ("path",), buckets=_BUCKETS, registry=self.registry
        )
        self.in_progress = Gauge("rest_server_requests_in_progress", "Requests not yet replied to.", registry=self.registry)
        self.labels = Counter("towpath_labels", "Labels taken.", registry=self.registry)
        self.dropped = Counter("towpath_shadow_dropped", "Shadow copies not scored, since too many waited.", registry=self.registry)
        self._by_version: dict[tuple[int, str], tuple[Counter, Histogram]] = {}
        self._by_route: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def scored(self, version: int, variant: str, outcome: str, seconds: float) -> None:
        """Count one scoring by a version in the role ``variant``: champion, challenger or shadow."""
        found = self._by_version.get((version, variant))
        if found is None:
            who = (self._model, str(version), variant)
            found = self._by_version[version, variant] = (self._success.labels(*who), self._seconds.labels(*who))
        if outcome == "ok":
            found[0].inc()
        else:
            self._failure.labels(self._model, str(version), variant, outcome).inc()
        found[1].observe(seconds)

    def replied(self, route: str, status: int, seconds: float) -> None:
        """Count one reply."""
        found = self._by_route.get((route, status))
        if found is None:
            found = self._by_route[route, status] = (self._requests.labels(route, str(status)), self._duration.labels(route))
        found[0].inc()
        found[1].observe(seconds)

    def text(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self.registry)
