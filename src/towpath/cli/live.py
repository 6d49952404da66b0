"""What serves: `up`, `serve`, `turn`, `deploy`, `rollback`, `release`, `pause`, `resume`; and `stage` and `tell`, which the loop calls."""

from __future__ import annotations

import getpass
import os
import tempfile
from pathlib import Path
from subprocess import Popen
from typing import Annotated

import typer

from towpath import children, holdings, operator, quantities, wiring
from towpath.cli import shared
from towpath.console.reading import Reading
from towpath.console.server import running
from towpath.errors import TowpathError, Unavailable, UsageError
from towpath.events import EnvironmentJudged
from towpath.formats.package import unpack
from towpath.hands import Hands
from towpath.locks import OUTBOX, STAGING, Lock, lock_of
from towpath.loop import Loop, Turned
from towpath.project import FILE, Project
from towpath.release import staging
from towpath.serving.run import serve as serve_here
from towpath.serving.settings import Fault, Scope, ServerSettings
from towpath.up import Servers, obey, only_one
from towpath.up import run as run_up
from towpath.verdict import Answer, Verdict, overall
from towpath.words import in_words
from towpath.world import World

app = shared.new_app()

Replay = Annotated[Path | None, typer.Option(hidden=True)]
Held = Annotated[int | None, typer.Option(hidden=True)]
Because = Annotated[str, typer.Option(help="why, for the history")]


@app.command()
def up(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(help="where predictions are served")] = None,
    console: Annotated[int, typer.Option(help="where the console's page is")] = 8090,
    tokens: Annotated[Path | None, typer.Option(help="a JSON file: {token: [predict, labels, admin]}")] = None,
    replay: Replay = None,
    fault: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Serve, watch, retrain and release, until Ctrl-C."""
    project = shared.project(context)
    world = wiring.world(project, replay)
    lock = only_one(project.home, f"process {os.getpid()}, predictions on port {port or project.serve.port}")
    hands = wiring.hands(world, shared.environ(), replay)
    loop = wiring.loop(world, hands)
    arguments = ["--port", str(0 if replay else project.serve.port if port is None else port)]
    arguments += ["--replay", str(replay)] if replay else []
    arguments += ["--fault", fault] if fault else []
    arguments += ["--tokens", str(tokens.absolute())] if tokens else []
    servers = Servers(world, shared.environ(), arguments)
    if replay:
        obey(loop, servers, hands)
    else:
        declared = Declared(context, hands, loop)
        reading = Reading(project.name, world.ledger, world.clock.now, lambda: declared.loop.evidence)
        with running("127.0.0.1", console, reading) as address:
            typer.echo(f"predictions  http://127.0.0.1:{port or project.serve.port}/v2/models/{project.name}\nconsole      {address}")
            run_up(declared, servers, hands, tell=_Printer(world))
    lock.release()


class Declared:
    """The loop of the project as ``towpath.yaml`` says it now: read again when the file has changed. A fault keeps the old one."""

    def __init__(self, context: typer.Context, hands: Hands, loop: Loop) -> None:
        self._context, self._hands, self.loop = context, hands, loop
        self._file = shared.project(context).root / FILE
        self._changed = self._file.stat().st_mtime_ns

    def __call__(self) -> Loop:
        try:
            changed = self._file.stat().st_mtime_ns
            if changed != self._changed:
                self._changed = changed
                self.loop = wiring.loop(wiring.world(shared.project(self._context)), self._hands)
                typer.echo(f"{FILE} was read again")
        except (TowpathError, OSError) as fault:
            typer.echo(f"{fault}\ngoing on with {FILE} as it was", err=True)
        return self.loop


class _Printer:
    """Prints every event that came into the ledger since the last turn, whoever told it."""

    def __init__(self, world: World) -> None:
        self._world, self._position = world, world.state().head.position

    def __call__(self, turned: Turned) -> None:
        for record in self._world.ledger.read(self._position):
            self._position = record.position
            typer.echo(f"{record.entry.at:%H:%M:%S}  {in_words(record.entry.event)}")


@app.command()
def serve(
    context: typer.Context,
    environment: Annotated[str, typer.Option(help="staging or production")] = "production",
    version: Annotated[int | None, typer.Option(help="one version by itself, instead of what is live")] = None,
    host: Annotated[str | None, typer.Option(help="another address than 127.0.0.1 needs tokens")] = None,
    port: Annotated[int | None, typer.Option(help="0: any free one")] = None,
    tokens: Annotated[Path | None, typer.Option(help="a JSON file: {token: [predict, labels, admin]}")] = None,
    worker: Annotated[int | None, typer.Option(hidden=True)] = None,
    ready: Annotated[Path | None, typer.Option(hidden=True)] = None,
    spool: Annotated[Path | None, typer.Option(hidden=True)] = None,
    replay: Replay = None,
    fault: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Serve what the ledger says is live, over the Open Inference Protocol."""
    project = shared.project(context)
    supervised = worker is not None
    settings = ServerSettings(
        model=project.name,
        environment=environment,
        host=host or project.serve.host,
        port=project.serve.port if port is None else port,
        spool=spool or project.home / "spool",
        cache=project.home / "cache",
        ready_file=ready or (project.home / f"serve-{worker}.json" if supervised else None),
        replay=replay,
        fault=Fault(share=quantities.share(fault)) if fault else None,
        tokens=_tokens(tokens),
        shared_port=supervised and project.serve.workers > 1,
        dies_with_parent=supervised,
    )
    source = wiring.source(project, environment) if version is None else wiring.source_of_one(project, environment, version)
    serve_here(settings, source, holdings.store(project))


def _tokens(file: Path | None) -> dict[str, tuple[Scope, ...]]:
    if file is None:
        return {}
    try:
        return operator.tokens(file.read_bytes())
    except OSError as fault:
        raise UsageError(f"the tokens {file} cannot be read: {fault.strerror}", mend="name a JSON file: {token: [scopes]}") from None


@app.command()
def turn(
    context: typer.Context,
    until_done: Annotated[bool, typer.Option("--until-done", help="turn after turn, until nothing is left to do without requests")] = False,
    commit: Annotated[bool, typer.Option("--commit", hidden=True, help="as the commit hook calls it")] = False,
    replay: Replay = None,
) -> None:
    """Make one turn of the loop and wait for what it started: for cron, CI or a CronJob."""
    world = wiring.world(shared.project(context), replay)
    if commit and not Lock(world.project.home / "locks" / "up").is_free():
        return  # `up` sees the commit by itself
    hands = wiring.hands(world, shared.environ(), replay)
    loop = wiring.loop(world, hands)
    turned = [loop.turn()]
    while (until_done or commit) and (turned[-1].busy or turned[-1].events):
        hands.wait()
        turned.append(loop.turn())
    hands.wait()
    events = [event for one in turned for event in one.events]
    shared.answer(context, turned, "\n".join(map(in_words, events)) or "nothing to decide")


@app.command()
def stage(context: typer.Context, number: Annotated[int, typer.Argument()], lock_held: Held = None, replay: Replay = None) -> None:
    """Start a version in staging, check it there, and tell the ledger."""
    world = wiring.world(shared.project(context), replay)
    lock = lock_of(world.project.home, STAGING)
    with lock.held(f"version {number}", inherited=lock_held) as mine:
        if not mine:
            raise Unavailable(f"staging is taken by {lock.holder()}", mend="wait for it, then try again")
        verdicts = _staged(world, number)
    shared.answer(context, verdicts, "\n".join(f"{verdict.answer.value:12} {verdict.because}" for verdict in verdicts))
    if overall(verdicts) is not Answer.PASS:
        raise typer.Exit(1)


def _staged(world: World, number: int) -> tuple[Verdict, ...]:
    """The checks' verdicts on a version, told to the ledger as the measurement that they are: without a condition."""
    project, version = world.project, world.state().registry.version(number)
    package, rules = unpack(world.store, version.digest), project.environment("staging").check
    with tempfile.TemporaryDirectory(prefix="towpath-staging-") as folder:
        verdicts = staging.check(rules, package, project.name, _starter(project, number, Path(folder)), Path(folder))
    world.tell(EnvironmentJudged(environment="staging", version=number, digest=version.digest, verdicts=verdicts))
    return verdicts


def _starter(project: Project, number: int, folder: Path) -> staging.Starter:
    def start(ready: Path) -> Popen[bytes]:
        words = ["serve", "--project", str(project.root), "--environment", "staging", "--version", str(number)]
        words += ["--port", "0", "--ready", str(ready), "--spool", str(folder / "spool")]
        return children.start(words, project.home / "logs" / "staging-server.log", shared.environ())

    return start


@app.command()
def tell(context: typer.Context, lock_held: Held = None, replay: Replay = None) -> None:
    """Tell the world outside what the ledger says and it has not heard yet."""
    world = wiring.world(shared.project(context), replay)
    with lock_of(world.project.home, OUTBOX).held("outbox", inherited=lock_held) as mine:
        if not mine:
            return
        told = wiring.tell(world, shared.environ())
    lines = [f"{one.target}: told {one.told}" + (f", then {one.fault.what}" if one.fault else "") for one in told]
    shared.answer(context, told, "\n".join(lines) or "nobody outside is to be told")
    if any(one.fault for one in told):
        raise typer.Exit(1)


@app.command()
def deploy(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="VERSION")],
    by: Annotated[str, typer.Option(help="who asks")] = "",
) -> None:
    """Ask for a version to be released to production; it goes by the declared stages."""
    world = wiring.world(shared.project(context))
    shared.answer(context, *_done(operator.deploy(world, number, by or _user())))


@app.command()
def rollback(
    context: typer.Context,
    because: Because = "by hand",
    cause_outside: Annotated[bool, typer.Option(help="the fault lay outside the model: no quarantine")] = False,
) -> None:
    """Take back the release that is going on, or the champion; the version before serves at once."""
    world = wiring.world(shared.project(context))
    shared.answer(context, *_done(operator.rollback(world, _user(), because, quarantine=not cause_outside)))


@app.command()
def pause(context: typer.Context, because: Because = "by hand") -> None:
    """Hold the release that is going on at its stage; harm still rolls it back."""
    world = wiring.world(shared.project(context))
    shared.answer(context, *_done(operator.pause(world, _user(), because)))


@app.command()
def resume(context: typer.Context) -> None:
    """Let a paused release go on."""
    world = wiring.world(shared.project(context))
    shared.answer(context, *_done(operator.resume(world, _user())))


@app.command()
def release(context: typer.Context, word: Annotated[str, typer.Argument(metavar="status")] = "status") -> None:
    """How the release stands: its stage, its evidence, and how long it may take."""
    if word != "status":
        raise UsageError(
            f"`towpath release {word}` is not known",
            mend="`towpath release status`; `pause`, `resume` and `rollback` are verbs of their own",
        )
    world = wiring.world(shared.project(context))
    standing = wiring.standing(world)
    shared.answer(context, standing, operator.in_words(standing))


def _done(event: object) -> tuple[object, str]:
    return event, in_words(event)  # type: ignore[arg-type]


def _user() -> str:
    return getpass.getuser()
