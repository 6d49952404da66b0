"""Every event as one sentence for people: what happened, then why. Pure; who tells events chooses which, and how short."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from towpath import events as ev
from towpath.verdict import Answer, Verdict, overall


def in_words(event: ev.AnyEvent, *, most: int | None = None) -> str:
    """One line, present to past, with the numbers that name things.

    Args:
        most: how many characters of its reason are kept; 0 leaves the reason out.

    >>> in_words(ev.RunEnded(run=3, outcome=ev.Outcome.REGISTERED, because="all gates passed", version=7))
    'run 3 ended in version 7: all gates passed'
    >>> in_words(ev.RunLost(run=3, because="its process 812 ended without a word"), most=17)
    'run 3 was lost: its process 812…'
    """
    reason: str = getattr(event, "because", "")
    kept = reason if most is None else clipped(reason, most)
    return f"{_what(event)}: {kept}" if kept else _what(event)


def clipped(text: str, most: int) -> str:
    """A text that fits into a line.

    >>> clipped("errors: 0 of 903 requests", 12)
    'errors: 0 o…'
    """
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…" if most else ""


def _what(event: ev.AnyEvent) -> str:
    match event:
        case ev.TriggerFired() | ev.TriggerRefused() | ev.RunStarted() | ev.RunContinued() | ev.RunEnded() | ev.RunLost():
            return _of_run(event)
        case ev.StepsPlanned() | ev.StepExecuted() | ev.StepRetried() | ev.StepFailed():
            return _of_step(event)
        case ev.SnapshotTaken() | ev.ChecksJudged() | ev.CandidatePackaged() | ev.GatesJudged():
            return _of_pipeline(event)
        case ev.ParametersChosen():
            return _of_search(event)
        case ev.ReleaseStarted() | ev.StageEntered() | ev.ReleasePaused() | ev.ReleaseResumed() | ev.ReleaseAbandoned():
            return _of_release(event)
        case ev.VersionRegistered() | ev.EnvironmentJudged() | ev.DeploymentAsked() | ev.VersionPromoted() | ev.VersionRolledBack():
            return _of_version(event)
        case ev.QuarantineLifted():
            return f"the quarantine of {event.digest[:8]} was lifted by {event.by}"
        case ev.RowsExcluded():
            return f"exclusion {event.exclusion}: {event.by} left the rows of {event.dataset} out where {event.where}"
        case ev.ExclusionLifted():
            return f"exclusion {event.exclusion} was lifted by {event.by}"
        case ev.RowsErased():
            return f"{event.by} erased rows of {event.dataset}: {event.rows:,} in its files, {len(event.objects):,} objects of the store"
        case ev.FindingMade():
            on = f" of version {event.version}" if event.version else ""
            return f"finding {event.finding}, {event.subject} in {event.what}{on}"
        case ev.Delivered():
            return f"{event.target} was told everything up to {event.position}"
        case ev.LedgerImported():
            return f"the ledger {event.name!r} was imported: {event.records:,} record{'s' * (event.records != 1)}, to be read only"
        case _:
            assert_never(event)


_ENDS = {
    ev.Outcome.REGISTERED: "ended in a version",
    ev.Outcome.REJECTED: "was rejected",
    ev.Outcome.HELD: "was held",
    ev.Outcome.STOPPED: "was stopped",
    ev.Outcome.EXECUTED: "made its steps",
    ev.Outcome.UNCHANGED: "made nothing new",
    ev.Outcome.FAILED: "failed",
}


def _of_run(event: ev.TriggerFired | ev.TriggerRefused | ev.RunStarted | ev.RunContinued | ev.RunEnded | ev.RunLost) -> str:
    match event:
        case ev.TriggerFired():
            return f"{event.trigger} asked for run {event.run}: {event.cause}"
        case ev.TriggerRefused():
            return f"{event.trigger} asked for a run ({event.cause}) and got none"
        case ev.RunStarted():
            tree = f"commit {event.commit[:8]}" + (" with uncommitted changes" if event.patch else "")
            return f"run {event.run} started ({event.trigger}: {event.cause}) on {tree}"
        case ev.RunContinued():
            return f"run {event.run} is at work"
        case ev.RunEnded(version=int()):
            return f"run {event.run} ended in version {event.version}"
        case ev.RunEnded():
            return f"run {event.run} {_ENDS[event.outcome]}"
        case ev.RunLost():
            return f"run {event.run} was lost"
        case _:
            assert_never(event)


def _of_step(event: ev.StepsPlanned | ev.StepExecuted | ev.StepRetried | ev.StepFailed) -> str:
    match event:
        case ev.StepsPlanned():
            return f"run {event.run}: {len(event.takes):,} step{'s' * (len(event.takes) != 1)} planned"
        case ev.StepExecuted(reused=True):
            return f"run {event.run}: step {event.step} reused" + (f" ({event.origin})" if event.origin else "")
        case ev.StepExecuted(refused=str()):
            return f"run {event.run}: step {event.step} made something else than it had made before ({event.origin})"
        case ev.StepExecuted():
            return f"run {event.run}: step {event.step} executed in {event.seconds:.1f} s"
        case ev.StepRetried():
            return f"run {event.run}: step {event.step} was begun again"
        case ev.StepFailed():
            return f"run {event.run}: step {event.step} failed"
        case _:
            assert_never(event)


def _of_search(event: ev.ParametersChosen) -> str:
    if not event.trials:
        return f"run {event.run} takes the champion's parameters"
    return f"run {event.run} searched its parameters in {event.trials:,} trial{'s' * (event.trials != 1)}: {event.metric} {event.value:.4g}"


def _of_pipeline(event: ev.SnapshotTaken | ev.ChecksJudged | ev.CandidatePackaged | ev.GatesJudged) -> str:
    match event:
        case ev.SnapshotTaken():
            rows = f"{event.rows:,} rows in " if event.rows >= 0 else ""
            excluded = f", {event.excluded:,} rows excluded" if event.excluded else ""
            return f"run {event.run}: {event.dataset} has {rows}{event.files:,} file{'s' * (event.files != 1)}{excluded}"
        case ev.ChecksJudged():
            return f"run {event.run}: checks of {event.dataset}: {_summed(event.verdicts)}"
        case ev.CandidatePackaged():
            return f"run {event.run}: candidate {event.digest[:8]} packaged"
        case ev.GatesJudged():
            against = f" against version {event.champion}" if event.champion else ""
            return f"run {event.run}: gates on {event.digest[:8]}{against}: {_summed(event.verdicts)}"
        case _:
            assert_never(event)


def _of_release(event: ev.ReleaseStarted | ev.StageEntered | ev.ReleasePaused | ev.ReleaseResumed | ev.ReleaseAbandoned) -> str:
    match event:
        case ev.ReleaseStarted():
            against = f"against version {event.champion}" if event.champion else "where nothing served"
            return f"release {event.release} of version {event.version} into {event.environment} started {against}"
        case ev.StageEntered(share=0):
            return f"release {event.release}: stage {event.stage + 1}, shadow"
        case ev.StageEntered():
            return f"release {event.release}: stage {event.stage + 1}, {event.share:.0%} of the requests"
        case ev.ReleasePaused():
            return f"release {event.release} was paused by {event.by}"
        case ev.ReleaseResumed():
            return f"release {event.release} was resumed by {event.by}"
        case ev.ReleaseAbandoned():
            return f"release {event.release} was abandoned"
        case _:
            assert_never(event)


def _of_version(
    event: ev.VersionRegistered | ev.EnvironmentJudged | ev.DeploymentAsked | ev.VersionPromoted | ev.VersionRolledBack,
) -> str:
    match event:
        case ev.VersionRegistered():
            return f"version {event.version} registered by run {event.run} ({event.digest[:8]})"
        case ev.EnvironmentJudged():
            return f"version {event.version} in {event.environment}: {_summed(event.verdicts)}"
        case ev.DeploymentAsked():
            return f"{event.by} asked for version {event.version} in {event.environment}"
        case ev.VersionPromoted():
            before = f" instead of version {event.previous}" if event.previous else ""
            return f"version {event.version} serves {event.environment}{before}"
        case ev.VersionRolledBack():
            to = f"version {event.to} serves" if event.to else "nothing serves"
            held = ", quarantined" if event.quarantine else ""
            return f"version {event.version} was rolled back in {event.environment}{held}, {to}"
        case _:
            assert_never(event)


def _summed(verdicts: Iterable[Verdict]) -> str:
    """How many passed, and every other verdict with its reason."""
    verdicts = tuple(verdicts)
    passed = sum(verdict.answer is Answer.PASS for verdict in verdicts)
    others = [f"{verdict.gate} {verdict.answer} ({verdict.because})" for verdict in verdicts if verdict.answer is not Answer.PASS]
    return "; ".join([f"{overall(verdicts)}, {passed} of {len(verdicts)} passed", *others])
