"""`towpath history` and `towpath verify`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from itertools import takewhile
from typing import Annotated, Any, get_args

import msgspec
import typer

from towpath import holdings, kept
from towpath.cli import shared
from towpath.errors import UnknownName, UsageError
from towpath.events import AnyEvent
from towpath.ledger import Record, imported
from towpath.ledger import verify as verify_chain
from towpath.project import Project
from towpath.state import State, fold
from towpath.words import in_words

app = shared.new_app()

KINDS = tuple(kind.__name__ for kind in get_args(AnyEvent))


@app.command()
def history(
    context: typer.Context,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="as of a time: 2013-05-03 (its end) or 2013-05-03T14:00 (UTC)")] = None,
    kind: Annotated[str | None, typer.Option(help="only events of this kind, such as RunEnded")] = None,
    last: Annotated[int, typer.Option("--last", "-n", min=0, help="how many events, the latest; 0 for all")] = 0,
    ledger: Annotated[str | None, typer.Option(metavar="NAME", help="of a ledger that was imported under this name")] = None,
) -> None:
    """What happened, in order; with --at, what was live then too."""
    if kind is not None and kind not in KINDS:
        raise UnknownName("kind of event", kind, KINDS)
    moment = None if at is None else moment_of(at)
    records = _records(shared.project(context), ledger)
    if moment is not None:
        records = list(takewhile(lambda record: record.entry.at <= moment, records))
    chosen = [record for record in records if kind is None or type(record.entry.event).__name__ == kind]
    chosen = chosen[-last:] if last else chosen
    events = [_as_json(record) for record in chosen]
    if moment is None:
        shared.answer(context, events, _lines(chosen))
    else:
        live = _live(fold(records))
        shared.answer(context, {"at": moment, "live": live, "events": events}, f"{_live_in_words(moment, live)}\n\n{_lines(chosen)}")


def _records(project: Project, imported_as: str | None) -> list[Record]:
    records = list(kept.ledger(project).read())
    if imported_as is None:
        return records
    event = imported.find(imported_as, records)
    return imported.unpacked(event, holdings.store(project).get(event.digest))


def moment_of(text: str) -> datetime:
    """A time as a person writes it; a day means its end, and without a zone it is UTC.

    >>> moment_of("2013-05-03T14:00").isoformat()
    '2013-05-03T14:00:00+00:00'
    """
    try:
        found = datetime.combine(date.fromisoformat(text), time.max) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no time", mend="write a day or a time: 2013-05-03, 2013-05-03T14:00, 2013-05-03T14:00+02:00"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _as_json(record: Record) -> dict[str, Any]:
    words = in_words(record.entry.event)
    return {"position": record.position, "hash": record.hash, "words": words, **msgspec.to_builtins(record.entry)}


def _lines(records: Sequence[Record]) -> str:
    if not records:
        return "nothing happened yet: `towpath run` makes the first version"
    width = len(str(records[-1].position))
    return "\n".join(f"{r.position:>{width}}  {r.entry.at:%Y-%m-%d %H:%M}  {in_words(r.entry.event)}" for r in records)


def _live(state: State) -> dict[str, Any]:
    """What served each environment, and the releases that were going on."""
    environments = list(dict.fromkeys(tenure.environment for tenure in state.live.tenures))
    going_on = [state.live.going_on(environment) for environment in environments]
    return {
        "versions": {environment: state.live.champion(environment) for environment in environments},
        "releases": [{"release": r.number, "environment": r.environment, "version": r.version} for r in going_on if r],
        "run": state.runs.going_on.number if state.runs.going_on else None,
    }


def _live_in_words(moment: datetime, live: dict[str, Any]) -> str:
    served = [
        f"  {environment}: {f'version {version}' if version else 'nothing'}" for environment, version in live["versions"].items()
    ] or ["  nothing"]
    released = [f"  release {r['release']} of version {r['version']} into {r['environment']} was going on" for r in live["releases"]]
    running = [f"  run {live['run']} was going on"] if live["run"] else []
    return "\n".join([f"live at {moment.isoformat(timespec='seconds')}:", *served, *released, *running])


@app.command()
def ledger(context: typer.Context) -> None:
    """Follow the ledger's chain and hold its end against the anchors; every changed, reordered or dropped record is named."""
    project = shared.project(context)
    anchors = kept.anchors(project).all()
    checked = verify_chain(kept.ledger(project, afresh=True).read(), anchors)
    found = {"position": checked.head.position, "hash": checked.head.hash, "anchors": len(anchors), "faults": checked.faults}
    seen = f"{checked.head.position:,} records, {len(anchors):,} anchors"
    if checked.faults:
        faults = "\n".join(f"  at {fault.position}: {fault.what}" for fault in checked.faults)
        words = f"the ledger is not what was written ({seen}):\n{faults}\nrestore {project.home} from a backup taken before that"
    else:
        words = f"the ledger is what was written: {seen}, head {checked.head.hash[:16]}"
    shared.answer(context, found, words)
    if checked.faults:
        raise typer.Exit(1)
