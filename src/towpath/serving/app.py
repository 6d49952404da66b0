"""The server's routes, as one RSGI application. No request, however bad, gets more than a 4xx; every error body is ``{"error": ...}``."""

from __future__ import annotations

import hmac
import logging
import os
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote

import msgspec

from towpath.errors import Unavailable, UnknownName, UsageError
from towpath.serving import wire
from towpath.serving.adopt import Adopter
from towpath.serving.answerer import Answerer, Reply, versions
from towpath.serving.metrics import Metrics
from towpath.serving.settings import Scope, ServerSettings

POSITION_S = 30.0  # the longest a status waits for a position of the ledger

_JSON = [("content-type", "application/json")]
_TEXT = [("content-type", "text/plain; version=0.0.4; charset=utf-8")]
_log = logging.getLogger("towpath.serving")
_encode = msgspec.json.Encoder().encode


class Refusal(Exception):
    """An HTTP status other than 200, and what to say."""

    def __init__(self, status: int, what: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.status, self.what, self.headers = status, what, headers
        super().__init__(what)


class Call(NamedTuple):
    """One request, as the routes see it."""

    segments: list[str]
    query: dict[str, list[str]]
    body: bytes


class Route(NamedTuple):
    """A route: how metrics call it, its method, who may use it, and what it does."""

    name: str
    method: str
    scope: Scope | None
    answer: Callable[[Call], Awaitable[Reply]]


class App:
    """One worker's application; ``__rsgi__`` is what Granian calls."""

    def __init__(self, settings: ServerSettings, adopter: Adopter, answerer: Answerer, metrics: Metrics) -> None:
        self._settings, self._adopter, self._answerer, self._metrics = settings, adopter, answerer, metrics
        model = "/v2/models/{m}"
        self._infer = Route(f"{model}/infer", "POST", "predict", self._answer_infer)
        self._infer_version = Route(f"{model}/versions/{{v}}/infer", "POST", "predict", self._answer_infer)
        self._fixed = {
            "/v2": Route("/v2", "GET", None, self._server),
            "/v2/health/live": Route("/v2/health/live", "GET", None, self._live),
            "/v2/health/ready": Route("/v2/health/ready", "GET", None, self._ready),
            "/labels": Route("/labels", "POST", "labels", self._label),
            "/metrics": Route("/metrics", "GET", "admin", self._metrics_text),
            "/towpath/status": Route("/towpath/status", "GET", "admin", self._status),
            f"/v2/models/{settings.model}/infer": self._infer,
        }
        self._page = Route(model, "GET", "predict", self._model)
        self._model_ready = Route(f"{model}/ready", "GET", "predict", self._ready)

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        begun, name = perf_counter(), "unknown"
        self._metrics.in_progress += 1
        headers = _JSON
        try:
            route, segments = self._route(scope.path)
            name = route.name
            self._admit(route, scope)
            body = await self._body(scope, proto) if route.method == "POST" else b""
            query = parse_qs(scope.query_string) if scope.query_string else {}
            status, body = await route.answer(Call(segments, query, body))
            headers = _TEXT if name == "/metrics" else _JSON
        except Refusal as refusal:
            status, body, headers = refusal.status, wire.error(refusal.what), [*_JSON, *refusal.headers]
        except UnknownName as fault:
            status, body = 404, wire.error(_sentence(fault))
        except UsageError as fault:
            status, body = 400, wire.error(_sentence(fault))
        except Unavailable as fault:
            status, body = 503, wire.error(_sentence(fault))
        except Exception:  # the border to the network: a fault of ours is logged here, and the worker goes on
            _log.exception("a request to %s failed", name)
            status, body = 500, wire.error("the server failed on this request; its log says why")
        self._metrics.in_progress -= 1
        self._metrics.replied(name, status, perf_counter() - begun)
        proto.response_bytes(status, headers, body)

    def _route(self, path: str) -> tuple[Route, list[str]]:
        fixed = self._fixed.get(path)
        if fixed is not None:
            return fixed, []
        segments = [unquote(segment) for segment in path.split("/")[1:]]
        match segments:
            case ["v2", "models", _]:
                route = self._page
            case ["v2", "models", _, "ready"]:
                route = self._model_ready
            case ["v2", "models", _, "infer"]:
                route = self._infer
            case ["v2", "models", _, "versions", _]:
                route = self._page
            case ["v2", "models", _, "versions", _, "ready"]:
                route = self._model_ready
            case ["v2", "models", _, "versions", _, "infer"]:
                route = self._infer_version
            case _:
                raise Refusal(
                    404, f"there is no {path[:100]} here; see /v2, /v2/models/{self._settings.model}, /labels, /metrics, /towpath/status"
                )
        if segments[2] != self._settings.model:
            raise UnknownName("model here", segments[2][:100], [self._settings.model])
        return route, segments

    def _admit(self, route: Route, scope: Any) -> None:
        if scope.method != route.method:
            raise Refusal(405, f"{route.name} takes {route.method}, not {scope.method[:20]}", (("allow", route.method),))
        if route.scope is None:
            return
        if not self._settings.tokens:
            if route.method == "POST" and "origin" in scope.headers:
                # any page in a browser on this machine may post to a loopback address; what it cannot do is to hide its origin
                raise Refusal(403, "a web page may not send requests to a server without tokens")
            return
        kind, _, token = (scope.headers.get("authorization") or "").partition(" ")
        scopes = self._scopes(token.strip()) if kind.lower() == "bearer" else None
        if scopes is None:
            raise Refusal(401, "send a token: `Authorization: Bearer TOKEN`", (("www-authenticate", "Bearer"),))
        if route.scope not in scopes:
            raise Refusal(403, f"this token has the scopes {', '.join(scopes)}; {route.name} needs {route.scope}")

    def _scopes(self, token: str) -> tuple[Scope, ...] | None:
        found = None
        for known, scopes in self._settings.tokens.items():  # all of them, so that the time tells nothing
            if hmac.compare_digest(known.encode(), token.encode()):
                found = scopes
        return found

    async def _body(self, scope: Any, proto: Any) -> bytes:
        most = self._settings.body_bytes
        length = scope.headers.get("content-length")
        if length is not None and length.isdecimal() and int(length) <= most:
            return bytes(await proto())
        if length is None:
            taken = bytearray()
            async for chunk in proto:
                taken += chunk
                if len(taken) > most:
                    break
            else:
                return bytes(taken)
        raise Refusal(413, f"the body is larger than {most} bytes; send fewer rows at once")

    async def _answer_infer(self, call: Call) -> Reply:
        return await self._answerer.infer(call.body, self._version(call))

    def _version(self, call: Call) -> int | None:
        """The version that the route names; None where it names none. Raises UnknownName when it does not answer here."""
        if len(call.segments) < 5:
            return None
        here = versions(self._adopter.routing)
        for version in here:
            if call.segments[4] == str(version):
                return version
        raise UnknownName("version here", call.segments[4][:50], map(str, here))

    async def _label(self, call: Call) -> Reply:
        return self._answerer.label(call.body)

    async def _server(self, call: Call) -> Reply:
        return Reply(200, _encode({"name": "towpath", "version": "2", "extensions": ["labels", "metrics"]}))

    async def _live(self, call: Call) -> Reply:
        return Reply(200, b'{"live":true}')

    async def _ready(self, call: Call) -> Reply:
        self._version(call)
        ready = self._adopter.routing.champion is not None
        return Reply(
            200 if ready else 503, b'{"ready":true}' if ready else wire.error(f"no version serves {self._settings.environment} yet")
        )

    async def _model(self, call: Call) -> Reply:
        self._version(call)
        routing = self._adopter.routing
        if routing.champion is None:
            raise Unavailable(f"no version serves {self._settings.environment} yet", mend="`towpath run` makes one")
        model = routing.champion.model
        return Reply(200, _encode(wire.metadata(self._settings.model, versions(routing), model.schema, model.classes)))

    async def _metrics_text(self, call: Call) -> Reply:
        return Reply(200, self._metrics.text())

    async def _status(self, call: Call) -> Reply:
        position = call.query.get("position", ["0"])[0]
        if not position.isdecimal():
            raise UsageError(f"position {position[:20]!r} is no position of a ledger", mend="send a number")
        reached = await self._adopter.reached(int(position), POSITION_S)
        if call.query.get("settled"):
            await self._answerer.settle(POSITION_S)
        return Reply(200 if reached else 504, _encode(self._status_now()))

    def _status_now(self) -> dict[str, Any]:
        routing = self._adopter.routing
        now, champion, challenger = routing.assignment, routing.champion, routing.challenger
        counts: dict[str, dict[str, int]] = {}
        for (arm, outcome), number in sorted(self._answerer.counts.items()):
            counts.setdefault(arm, {})[outcome] = number
        return {
            "environment": now.environment,
            "position": now.position,
            "champion": champion.served if champion else None,
            "challenger": challenger.served if challenger else None,
            "challenger_pid": challenger.pid if challenger else None,
            "challenger_trouble": challenger.trouble if challenger else "",
            "release": now.release,
            "stage": now.stage,
            "share": now.share,
            "shadow": now.shadow,
            "counts": counts,
            "waiting": self._answerer.waiting,
            "pid": os.getpid(),
            "notes": list(routing.notes.values()),
        }


def _sentence(fault: UsageError | Unavailable) -> str:
    return f"{fault.what}; {fault.mend}"
