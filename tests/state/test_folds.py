"""The folds: what is a version, what is live, what a server is told; and the loop's pure decision over them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath import events as ev
from towpath.digest import Digest, of_bytes
from towpath.errors import UnknownName
from towpath.ledger import Entry
from towpath.ledger.memory import MemoryLedger
from towpath.release import controller
from towpath.release.routing import assignment
from towpath.state import State, fold
from towpath.verdict import Answer, Verdict

START = datetime(2013, 4, 1, tzinfo=UTC)
GOOD = Verdict(gate="auc >= 0.6", answer=Answer.PASS, because="auc 0.7")
STAGES = {"stages": [{"type": "shadow", "requests": 500}, {"type": "canary", "share": 0.1}], "guards": [{"name": "errors"}]}


def digest(name: str) -> Digest:
    return of_bytes(name.encode())


def told(*events: ev.AnyEvent) -> State:
    ledger = MemoryLedger()
    for hour, event in enumerate(events):
        ledger.append([Entry(id=str(hour), at=START + timedelta(hours=hour), machine=0.0, event=event)])
    return fold(ledger.read())


def made(number: int, *, answer: Answer = Answer.PASS, patch: bool = False, name: str = "") -> list[ev.AnyEvent]:
    """A run whose candidate was judged and, whatever the gates said, registered."""
    bytes_of = digest(name or f"v{number}")
    verdict = Verdict(gate=GOOD.gate, answer=answer, because="")
    return [
        ev.RunStarted(
            run=number,
            trigger="commit",
            cause="",
            commit="c",
            patch=digest("p") if patch else None,
            host="h",
            boot="b",
            pid=1,
        ),
        ev.CandidatePackaged(run=number, digest=bytes_of, recipe=digest(f"r{number}"), parameters={"trees": 9}),
        ev.GatesJudged(run=number, digest=bytes_of, champion=None, verdicts=(verdict,), metrics={"candidate": {"auc": 0.7}}),
        ev.VersionRegistered(version=number, digest=bytes_of, run=number),
    ]


def staged(number: int, answer: Answer = Answer.PASS) -> ev.EnvironmentJudged:
    verdict = Verdict(gate="golden_rows", answer=answer, because="")
    return ev.EnvironmentJudged(environment="staging", version=number, digest=digest(f"v{number}"), verdicts=(verdict,))


def promoted(number: int, previous: int | None = None, release: int | None = None) -> ev.VersionPromoted:
    return ev.VersionPromoted(
        environment="production", version=number, digest=digest(f"v{number}"), previous=previous, release=release, by="loop", because="good"
    )


def begun(release: int, version: int, champion: int) -> list[ev.AnyEvent]:
    return [
        ev.ReleaseStarted(
            release=release,
            environment="production",
            version=version,
            digest=digest(f"v{version}"),
            champion=champion,
            plan=STAGES,
            salt="s",
            because="",
        ),
        ev.StageEntered(release=release, stage=0, share=0.0, because=""),
    ]


def back(version: int, to: int | None, release: int | None = None) -> ev.VersionRolledBack:
    return ev.VersionRolledBack(
        environment="production", version=version, digest=digest(f"v{version}"), to=to, release=release, by="loop", because="errors"
    )


@pytest.mark.parametrize("answer", [Answer.FAIL, Answer.INCONCLUSIVE, Answer.ERROR])
def test_a_registration_without_passed_gates_is_no_version_and_is_served_to_nobody(answer: Answer) -> None:
    state = told(*made(1, answer=answer), staged(1), promoted(1))
    assert state.registry.versions == {}
    told_to_serve = assignment("production", state.head, state.registry, state.live, deadline_s=0.1)
    assert told_to_serve.champion is None


def test_the_same_bytes_are_registered_once() -> None:
    state = told(*made(1, name="same"), *made(2, name="same"))
    assert list(state.registry.versions) == [1]
    assert state.registry.next_number == 2


def test_an_unknown_version_names_those_that_are_there() -> None:
    with pytest.raises(UnknownName, match="'7'") as caught:
        told(*made(1)).registry.version(7)
    assert "1" in caught.value.mend


def test_a_version_goes_to_production_only_after_staging() -> None:
    before = told(*made(1))
    assert controller.untried(before.registry, before.live) is before.registry.versions[1]
    assert controller.challenger(before.registry, before.live) is None
    failed = told(*made(1), staged(1, Answer.FAIL))
    assert controller.challenger(failed.registry, failed.live) is None
    after = told(*made(1), staged(1))
    assert controller.untried(after.registry, after.live) is None
    assert controller.challenger(after.registry, after.live) == after.registry.versions[1]


def test_a_version_of_a_dirty_tree_stays_in_staging() -> None:
    state = told(*made(1, patch=True), staged(1))
    assert controller.challenger(state.registry, state.live) is None
    assert "uncommitted" in controller.why_not(state.registry.versions[1], state.live)


def test_a_release_routes_by_its_stage_and_ends_in_a_promotion() -> None:
    events = [*made(1), staged(1), promoted(1), *made(2), staged(2), *begun(1, 2, 1)]
    shadow = told(*events)
    serve = assignment("production", shadow.head, shadow.registry, shadow.live, deadline_s=0.1)
    assert (serve.champion.version, serve.challenger.version, serve.shadow, serve.share) == (1, 2, True, 0.0)
    canary = told(*events, ev.StageEntered(release=1, stage=1, share=0.1, because="safe", means={"errors": 0.01}))
    serve = assignment("production", canary.head, canary.registry, canary.live, deadline_s=0.1)
    assert (serve.shadow, serve.share, serve.stage, serve.salt) == (False, 0.1, 1, "s")
    assert canary.live.releases[1].stages[-1].means == {"errors": 0.01}
    over = told(*events, promoted(2, previous=1, release=1))
    assert over.live.going_on("production") is None
    assert over.live.champion("production") == 2
    assert over.live.releases[1].outcome == "promoted"


def test_a_rolled_back_digest_is_quarantined_until_that_is_lifted() -> None:
    events = [*made(1), staged(1), promoted(1), *made(2), staged(2), *begun(1, 2, 1), back(2, 1, release=1)]
    state = told(*events)
    assert state.live.champion("production") == 1
    assert "quarantined" in controller.why_not(state.registry.versions[2], state.live)
    asked = told(*events, ev.DeploymentAsked(environment="production", version=2, by="ann"))
    assert controller.challenger(asked.registry, asked.live) is None
    lifted = told(
        *events,
        ev.DeploymentAsked(environment="production", version=2, by="ann"),
        ev.QuarantineLifted(digest=digest("v2"), by="ann", because="a network fault"),
    )
    assert controller.challenger(lifted.registry, lifted.live) == lifted.registry.versions[2]


def test_what_was_live_at_a_time_is_read_from_the_ledger() -> None:
    state = told(*made(1), staged(1), promoted(1), *made(2), staged(2), promoted(2, previous=1), back(2, 1))
    history = [(tenure.version, tenure.at) for tenure in state.live.tenures if tenure.environment == "production"]
    assert [version for version, _ in history] == [1, 2, 1]
    assert state.live.champion("production", at=history[1][1] - timedelta(minutes=1)) == 1
    assert state.live.champion("production", at=history[1][1]) == 2
    assert state.live.champion("production", at=START) is None


def test_a_paused_release_knows_by_whom() -> None:
    events = [*made(1), staged(1), promoted(1), *made(2), staged(2), *begun(1, 2, 1)]
    paused = told(*events, ev.ReleasePaused(release=1, by="ann", because="lunch"))
    assert paused.live.releases[1].paused == "ann: lunch"
    assert (
        told(*events, ev.ReleasePaused(release=1, by="ann", because=""), ev.ReleaseResumed(release=1, by="ann")).live.releases[1].paused
        == ""
    )


EVENTS: Sequence[ev.AnyEvent] = [*made(1), staged(1), promoted(1), *made(2), staged(2), *begun(1, 2, 1), back(2, 1, release=1), *made(3)]


@given(st.integers(0, len(EVENTS)))
def test_folding_in_two_parts_gives_the_same_state(cut: int) -> None:
    ledger = MemoryLedger()
    for hour, event in enumerate(EVENTS):
        ledger.append([Entry(id=str(hour), at=START + timedelta(hours=hour), machine=0.0, event=event)])
    records = list(ledger.read())
    assert fold(records[cut:], fold(records[:cut])) == fold(records)


def test_until_ends_the_fold_at_a_time() -> None:
    ledger = MemoryLedger()
    for hour, event in enumerate(EVENTS):
        ledger.append([Entry(id=str(hour), at=START + timedelta(hours=hour), machine=0.0, event=event)])
    assert fold(ledger.read(), until=START + timedelta(hours=3)).head.position == 4


def test_a_version_of_a_dirty_tree_may_go_on_once_a_commit_gives_the_same_bytes() -> None:
    clean = made(2, name="v1")[:3]  # the same bytes, from a clean tree; nothing is registered again
    state = told(*made(1, patch=True), staged(1), *clean)
    assert not state.registry.versions[1].candidate.dirty
    assert controller.challenger(state.registry, state.live) == state.registry.versions[1]
