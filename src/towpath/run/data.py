"""The data of a run: checked, kept, and told in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from towpath import events as ev
from towpath import holdings
from towpath.data import checks
from towpath.data.absent import to_check_out
from towpath.data.checks import Around
from towpath.data.exclude import parts_left, taken_left
from towpath.data.snapshot import Taken, known_facts, see, take
from towpath.pipeline.values import Value
from towpath.run.bench import Bench, Ended
from towpath.run.rows import given
from towpath.verdict import Answer


def snapshots(bench: Bench) -> dict[str, Taken]:
    """Check and snapshot every dataset. Ends the run when a check fails."""
    store = bench.records.store
    state = bench.records.state()
    accepted = state.runs.last(ev.Outcome.REGISTERED, ev.Outcome.REJECTED, ev.Outcome.HELD)
    seen, taken = {}, {}
    for name, dataset in bench.project.data.items():
        bench.tell(f"reading {name}")
        with to_check_out(name, dataset, bench.project.root):
            seen[name] = see(dataset, bench.project.root, store, holdings.index(bench.project))
    judged = {name: parts_left(had.parts, state.exclusions.of(name)) for name, had in seen.items()}
    around = Around(now=bench.records.clock.now(), others=judged, code=bench.folder, store=store)
    for name, had in seen.items():
        facts = known_facts(store, accepted.snapshots[name].digest) if accepted and name in accepted.snapshots else None
        verdicts = checks.of_dataset(bench.project, name, judged[name], replace(around, reference=facts))
        bench.told(ev.ChecksJudged(run=bench.number, dataset=name, verdicts=verdicts))
        failed = [verdict for verdict in verdicts if verdict.answer is not Answer.PASS]
        if failed:
            raise Ended(ev.Outcome.STOPPED, "; ".join(f"check `{verdict.gate}`: {verdict.because}" for verdict in failed))
        one, excluded = taken_left(take(name, had.parts, store, kind=had.kind, origin=had.origin), state.exclusions.of(name))
        taken[name], shot = one, one.snapshot
        if excluded:
            bench.tell(f"{excluded:,} of {shot.rows:,} rows of {name} are excluded")
        bench.told(
            ev.SnapshotTaken(
                run=bench.number,
                dataset=name,
                digest=one.digest,
                content=one.facts.content,
                rows=shot.rows,
                files=shot.files,
                excluded=excluded,
            )
        )
    return taken


def values(bench: Bench, taken: Mapping[str, Taken]) -> dict[str, Value]:
    """The datasets as steps take them."""
    return given(bench.project, taken, bench.records.state().exclusions.of, bench.records.store)
