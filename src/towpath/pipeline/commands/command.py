"""A command, executed in a folder of its own that has what the step takes and nothing else."""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import structs

from towpath.errors import UnknownName, UsageError
from towpath.pipeline.commands.laying import lay
from towpath.pipeline.commands.undeclared import undeclared
from towpath.pipeline.errors import StepFailed
from towpath.pipeline.executor import Task
from towpath.pipeline.folders import keep_below
from towpath.pipeline.graph import Step
from towpath.pipeline.values import Value
from towpath.pipeline.work import Command
from towpath.store import Store

_NAMED = re.compile(r"\{(in|out|params)\.([^{}]+)\}")
_SHELL = ("/bin/sh", "-e", "-c")  # of several lines, the first that fails is the last
_PATIENCE_S = 60  # for a version
_LINES = 10  # of a log are told


def made(task: Task, command: Command, store: Store, place: Path) -> Value:
    """Execute it below ``place``; the files that it made.

    Raises:
        StepFailed: it ended with another code than 0, or did not make what it is to make.
        UsageError: it is given what no file can hold, or names what it is not given.
    """
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="command-", dir=place, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        paths = {given: lay(given, value, store, folder) for given, value in task.inputs.items()}
        for output in command.outputs.values():
            (folder / output if output.endswith("/") else (folder / output).parent).mkdir(parents=True, exist_ok=True)
        laid = {*files_in(folder)}
        words = filled(command, {"in": paths, "out": command.outputs, "params": task.parameters})
        if code := executed(task.step, words, folder, task.log):
            there = ", ".join(sorted(laid)) or "nothing"
            raise failed(task, code, f"its folder had: {there}", undeclared("\n".join(last_lines(task.log)), Path(task.tree), folder))
        return keep_below(folder, outputs_of(task, command.outputs.values(), folder, laid), store)


def filled(command: Command, names: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The words that are executed, with what ``{in.NAME}``, ``{out.NAME}`` and ``{params.NAME}`` stand for; quoted in a text for the shell.

    Raises UnknownName where there is no such name.

    >>> filled(Command(cmd="head -n {params.rows} {in.a}", outputs={}), {"in": {"a": "a b.csv"}, "params": {"rows": 3}})[-1]
    "head -n 3 'a b.csv'"
    """

    def values(match: re.Match[str]) -> list[str]:
        known = names.get(match[1], {})
        if match[2] not in known:
            raise UnknownName(f"name under `{match[1]}` of the step", match[2], known)
        found = known[match[2]]
        return [_written(one) for one in (found if isinstance(found, tuple) else (found,))]

    if isinstance(command.cmd, str):
        return [*_SHELL, _NAMED.sub(lambda match: shlex.join(values(match)), command.cmd)]
    return [_NAMED.sub(lambda match: " ".join(values(match)), word) for word in command.cmd]


def with_versions(steps: Iterable[Step], environ: Mapping[str, str]) -> list[Step]:
    """The steps, with what tells the version of their programs; each is asked once.

    Raises UsageError where one ends with another code than 0.
    """
    asked = cache(lambda text: _version(text, environ))
    return [
        structs.replace(step, work=structs.replace(step.work, says=asked(step.work.version)))
        if isinstance(step.work, Command) and step.work.version
        else step
        for step in steps
    ]


def _version(text: str, environ: Mapping[str, str]) -> str:
    words = [*_SHELL, text]
    try:
        done = subprocess.run(
            words, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=_PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        what = f"the version of a step's program cannot be told: `{text}` took longer than {_PATIENCE_S} s"
        raise UsageError(what, mend="name a command that only prints the program's version, such as `Rscript --version`") from None
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        what = f"the version of a step's program cannot be told: `{text}` ended with exit code {done.returncode}: {said}"
        raise UsageError(what, mend="name a command that prints the program's version, such as `Rscript --version`")
    return (done.stdout + done.stderr).strip()  # some tell it on the one, some on the other


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def executed(step: str, words: list[str], folder: Path, log: str, environ: Mapping[str, str] | None = None) -> int:
    """The exit code of words that are executed in ``folder``; negative: the signal. What they print goes to the end of ``log``.

    It stays in this process's group, so that it ends when this is ended. Raises UsageError where there is no such program.
    """
    with ExitStack() as stack:
        out = stack.enter_context(open(log, "ab")) if log else None
        try:
            return subprocess.run(words, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False).returncode
        except OSError as fault:
            what = f"the command of step {step!r} cannot be begun: {fault.strerror}: {words[0]!r}"
            raise UsageError(
                what, mend="install the program, or name one that is there; a program of the project stands under `in`"
            ) from None


def failed(task: Task, code: int, there: str, missing: str | None = None) -> StepFailed:
    """The error of a command that ended with ``code``. ``there``: what it was given, in words; ``missing``: a file that it was not."""
    how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    lines = last_lines(task.log)
    mend = f"the project's {missing} is not among what the step takes: add it under `in`" if missing else "mend the command"
    shown = "".join(f"\n  {line}" for line in lines)
    what = f"the command of step {task.step!r} {how}{shown}\n{there}"
    return StepFailed(task.step, what, mend=f"{mend}; what it printed is in {task.log}", trace="\n".join(lines))


def last_lines(log: str) -> list[str]:
    """The end of what was printed."""
    if not log or not Path(log).exists():
        return []
    with open(log, "rb") as file:
        file.seek(max(0, file.seek(0, 2) - 8192))
        return file.read().decode(errors="replace").rstrip().splitlines()[-_LINES:]


def outputs_of(task: Task, outputs: Iterable[str], folder: Path, laid: Collection[str]) -> Iterator[Path]:
    """The files that were asked for. Raises StepFailed where one is not there; ``laid`` was there before."""
    for output in outputs:
        place = folder / output
        found = sorted(one for one in place.rglob("*") if one.is_file()) if place.is_dir() else [place] if place.is_file() else []
        if not found:
            raise _nothing(task, output, sorted({*files_in(folder)} - {*laid}))
        for file in found:
            if not file.resolve().is_relative_to(folder.resolve()):
                what = f"step {task.step!r} made {output} a link to {file.resolve()}, outside of its folder"
                raise StepFailed(task.step, what, mend="copy the file there")
        yield from found


def _nothing(task: Task, output: str, others: list[str]) -> StepFailed:
    near = get_close_matches(output, others, n=1) or others[:5]
    told = f"it made {', '.join(others[:5])}" if others else "it made no file at all in its folder"
    mend = f"write {output}, relative to the folder in which the command begins"
    mend += f"; or name what it makes under `out`: {', '.join(near)}" if near else ""
    return StepFailed(task.step, f"step {task.step!r} made no {output}: {told}", mend=mend)


def files_in(folder: Path) -> Iterator[str]:
    """The paths of all files below a folder."""
    return (str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
