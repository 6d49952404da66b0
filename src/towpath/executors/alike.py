"""Whether a node of a cluster has what a fingerprint says that a step is executed with."""

from __future__ import annotations

import msgspec

from towpath import __version__
from towpath.errors import UsageError
from towpath.pipeline.code.reach import Project as Code
from towpath.pipeline.distributions import versions
from towpath.pipeline.fingerprint import ENGINE, surroundings
from towpath.pipeline.work import Call, Use, Work

SHOWN = 5


class Surroundings(msgspec.Struct, frozen=True):
    """The versions of what ``modules`` come from, of Python and of Towpath, on the machine that started the run."""

    modules: tuple[str, ...]
    versions: dict[str, str]


def around(work: Work, code: Code) -> Surroundings:
    """Of what a step reaches, on this machine."""
    match work:
        case Call(function):
            modules = tuple(sorted({*code.reach(function).imports, ENGINE}))
        case Use(module):
            modules = (ENGINE, module.partition(".")[0])
        case _:
            modules = (ENGINE,)
    return Surroundings(modules, _here(modules))


def check(wanted: Surroundings) -> None:
    """Raise UsageError where this machine has something else, with both versions."""
    here = _here(wanted.modules)
    names = [name for name in sorted({*here, *wanted.versions}) if here.get(name) != wanted.versions.get(name)]
    if names:
        said = [
            f"{name} is {here.get(name, 'absent')} there, and {wanted.versions.get(name, 'absent')} where the run began" for name in names
        ]
        more = f", and {len(said) - SHOWN:,} more" if len(said) > SHOWN else ""
        raise UsageError("; ".join(said[:SHOWN]) + more, mend="install the same on every node: a fingerprint counts these versions")


def _here(modules: tuple[str, ...]) -> dict[str, str]:
    return {**versions(modules), **surroundings(), "towpath": __version__}
