"""Stages as steps: which stage makes what another depends on, and which files come from outside of all stages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from towpath.errors import UsageError
from towpath.pipeline.dvc.stages import Stage
from towpath.pipeline.graph import Described, Step
from towpath.pipeline.work import Commands

Ask = Callable[[str], bool]
_Makers = Mapping[str, str | None]
FILES = "./"  # before the path of files that no stage makes


def described(stages: Mapping[str, Stage], *, mark: str, is_there: Ask, is_known: Ask) -> Described:
    """The stages that execute, as steps; a frozen one does not, and what it makes is taken as it lies there.

    Args:
        mark: of this run alone, so that a stage that always counts as changed is executed.
        is_there: whether a path is there before the run: what persists is given to its stage again.
        is_known: whether a path is in the commit: of a folder in which stages make something, the rest is taken too.

    Raises UsageError where two stages make one path.
    """
    makers = _makers(stages)
    absent = tuple(sorted(output.path for stage in stages.values() for output in stage.outputs))

    def step(name: str) -> Step | None:
        stage = stages.get(name)
        return _step(stage, makers, absent, mark, is_there, is_known) if stage and not stage.is_frozen else None

    return step


def outside(steps: Sequence[Step]) -> list[str]:
    """The paths of files that these steps take and no stage makes, each once."""
    return list(dict.fromkeys(one.removeprefix(FILES) for step in steps for one in step.inputs.values() if one.startswith(FILES)))


def _makers(stages: Mapping[str, Stage]) -> dict[str, str | None]:
    """Who makes each path; None where that stage is frozen."""
    found: dict[str, str] = {}
    for stage in stages.values():
        for output in stage.outputs:
            if output.path in found:
                what = f"{output.path} is made by the stages {found[output.path]!r} and {stage.name!r}"
                raise UsageError(what, mend="let each path be made by one stage")
            found[output.path] = stage.name
    return {path: None if stages[name].is_frozen else name for path, name in found.items()}


def _step(stage: Stage, makers: _Makers, absent: tuple[str, ...], mark: str, is_there: Ask, is_known: Ask) -> Step:
    sources = {path: source for dependency in stage.dependencies for path, source in _sources(dependency, makers, is_known)}
    kept = tuple(output.path for output in stage.outputs if output.persists and is_there(output.path))
    inputs = {path: name for path, (name, _) in sources.items()} | {path: f"{FILES}{path}" for path in kept}
    parts = {path: part for path, (_, part) in sources.items() if part}
    parameters: dict[str, Any] = {f"{file}:{key}": value for file, known in stage.params.items() for key, value in known.items()}
    work = Commands(
        cmd=stage.commands,
        wdir=stage.wdir,
        outputs=tuple(output.path for output in stage.outputs),
        absent=absent,
        uncounted=kept,
        mark=mark if stage.always_changed else "",
    )
    return Step(stage.name, inputs, work, parameters, parts)


def _sources(path: str, makers: _Makers, is_known: Ask) -> Iterator[tuple[str, tuple[str, str]]]:
    """Where what lies at a path comes from: a stage, with the part of what it makes; and below it, whatever stages make there."""
    above = next((made for made in makers if path == made or path.startswith(f"{made}/")), None)
    inside = [made for made in makers if made.startswith(f"{path}/")]
    if above:
        yield path, _source(path, makers[above])
    elif not inside or is_known(path):
        yield path, _source(path, None)
    yield from ((made, _source(made, makers[made])) for made in inside)


def _source(path: str, maker: str | None) -> tuple[str, str]:
    return (maker, path) if maker else (f"{FILES}{path}", "")
