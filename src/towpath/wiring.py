"""Puts a project's parts together; with :mod:`towpath.kept` the only place that chooses adapters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from towpath import holdings, kept
from towpath.clock import machine_s
from towpath.data import growth as data
from towpath.data.growths import Growths
from towpath.data.seldom import Seldom
from towpath.errors import Unavailable, UsageError
from towpath.formats import manifest as manifests
from towpath.hands import Hands
from towpath.journal.delta import DeltaJournal
from towpath.loop import Loop
from towpath.monitor.alerts.outbox import Delivery, deliver
from towpath.monitor.alerts.port import Target
from towpath.monitor.alerts.webhook import Webhook
from towpath.monitor.findings import Finding
from towpath.monitor.rounds import Champion, Rounds
from towpath.operator import Standing
from towpath.pipeline.worktree import head
from towpath.project import Dataset, Project
from towpath.recent import Recent
from towpath.release import controller, decide, expected_requests
from towpath.release.routing import assignment, only
from towpath.serving.port import Assignment, Source
from towpath.sights import Eyes
from towpath.state import State, fold
from towpath.triggers import Growth
from towpath.world import World

HEAD_EVERY_S = 1.0  # asking Git starts a process
FAR_EVERY_S = 60.0  # asking a bucket or a database is work for others


def world(project: Project, replay: Path | None = None) -> World:
    """Everything that a project's loop works with."""
    return World(
        project=project,
        clock=kept.clock(replay),
        ledger=kept.ledger(project),
        store=holdings.store(project),
        journal=DeltaJournal(project.home / "journal"),
        anchors=kept.anchors(project),
    )


def loop(world: World, hands: Hands) -> Loop:
    """The loop of a world."""
    return Loop(world, _eyes(world), hands)


def _eyes(world: World) -> Eyes:
    return Eyes(
        world,
        data=_growths(world),
        head=_heads(world),
        monitors=_monitors(world),
        wrong_over=lambda state, number: _manifest(world, state, number).wrong_over,
    )


def hands(world: World, environ: Mapping[str, str], replay: Path | None = None) -> Hands:
    """The loop's hands; their children keep to the same clock."""
    return Hands(world, environ, targets=targets(world.project, environ), more=["--replay", str(replay)] if replay else [])


def source(project: Project, environment: str) -> Source:
    """What the ledger says a server is to serve; each call reads only what is new."""
    facts, deadline = kept.ledger(project), project.environment("production").release.deadline.total_seconds()
    known = [State()]

    def look() -> Assignment:
        state = known[0] = fold(facts.read(known[0].head.position), known[0])
        return assignment(environment, state.head, state.registry, state.live, deadline_s=deadline)

    return look


def source_of_one(project: Project, environment: str, number: int) -> Source:
    """One version by itself. Raises UnknownName; UsageError when its gates did not all say ``pass``."""
    version = kept.state(project).registry.version(number)
    if not version.candidate.passed:
        raise UsageError(f"version {number} did not pass its gates", mend="serve one that did: `towpath status`")
    fixed = only(environment, number, version.digest)
    return lambda: fixed


def _growths(world: World) -> Callable[[State], tuple[Growth, ...]]:
    grown = Growths(world.project.root, world.store, holdings.index(world.project))
    far: Seldom[data.Growth] = Seldom(FAR_EVERY_S)

    def ask(name: str, dataset: Dataset, state: State) -> data.Growth:
        snapshots, accepted = state.runs.trained_on
        trained, erased = snapshots.get(name), state.erasures.objects

        def answer() -> data.Growth:
            return grown.of(name, dataset, trained, erased, accepted=accepted)

        return answer() if dataset.is_here else far.ask(name, (trained, accepted, len(erased)), answer)

    def look(state: State) -> tuple[Growth, ...]:
        found = []
        for name, dataset in world.project.data.items():
            if not dataset.tells:
                continue
            try:
                one = ask(name, dataset, state)
            except (UsageError, Unavailable):
                continue  # no file is there yet, or somebody is writing it: the next turn asks again
            found.append(Growth(dataset=name, rows_new=one.rows_new, share=one.share, state=one.state, unit=one.unit))
        return tuple(found)

    return look


def _heads(world: World) -> Callable[[], str | None]:
    known: list[tuple[float, str | None]] = [(float("-inf"), None)]

    def look() -> str | None:
        if machine_s() - known[0][0] > HEAD_EVERY_S:
            known[0] = (machine_s(), head(world.project.root))
        return known[0][1]

    return look


def _monitors(world: World) -> Callable[[State, Recent, datetime], list[Finding]]:
    project = world.project
    rounds = Rounds(project.monitor, project.model.label, project.model.task, world.store)

    def look(state: State, recent: Recent, now: datetime) -> list[Finding]:
        number = state.live.champion(controller.PRODUCTION)
        if number is None:
            return []
        version = state.registry.version(number)
        since = next(t.at for t in reversed(state.live.tenures) if t.environment == controller.PRODUCTION and t.version == number)
        champion = Champion(
            version=number,
            since=since,
            profile=version.candidate.profile,
            figures=version.candidate.metrics.get("candidate", {}),
            standard_errors=version.candidate.standard_errors,
            classes=_manifest(world, state, number).classes,
        )
        return rounds.make(champion, recent.predictions, recent.labels, now)

    return look


def _manifest(world: World, state: State, number: int) -> manifests.Manifest:
    digest = state.registry.version(number).digest
    return manifests.decode(world.store.get(digest), digest)


def standing(world: World) -> Standing:
    """How the release into production stands, from the ledger and the journal as they are now."""
    state = world.state()
    champion, release = state.live.champion(controller.PRODUCTION), state.live.going_on(controller.PRODUCTION)
    if release is None or champion is None:
        return Standing(champion=champion)
    eyes = _eyes(world)
    eyes.refresh()
    now = world.clock.now()
    seen, outlook = eyes.release(state, now)
    plan = controller.plan_of(release)
    forecast = expected_requests(plan, outlook.means)
    return Standing(
        champion=champion,
        release=release,
        decision=decide(plan, seen, now) if seen else None,
        requests_left=forecast.requests,
        days_left=forecast.requests / outlook.requests_per_day if outlook.requests_per_day else None,
    )


MIRROR = "mlflow"


def targets(project: Project, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Who outside is to hear of what happens: declared webhooks, and MLflow where its server is named and its extra installed."""
    names = tuple(f"webhook-{number}" for number, _ in enumerate(project.alerts))
    return (*names, MIRROR) if environ.get("MLFLOW_TRACKING_URI") and find_spec("mlflow") else names


def tell(world: World, environ: Mapping[str, str]) -> list[Delivery]:
    """Tell every target what it has not heard yet."""
    name, secret = world.project.name, environ.get("TOWPATH_WEBHOOK_SECRET", "")
    told: list[Target] = [
        Webhook(alert.webhook, project=name, name=f"webhook-{number}", secret=secret) for number, alert in enumerate(world.project.alerts)
    ]
    if MIRROR in targets(world.project, environ):
        mirror = import_module("towpath.registry.mlflow")  # an extra that takes a second to import
        told.append(mirror.Mirror(environ["MLFLOW_TRACKING_URI"], name, world.ledger, world.store))
    return deliver(world.ledger, told, world.clock, world.state().delivered)
