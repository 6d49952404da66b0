"""Functions of installed distributions, named ``module:function``; they are read from their sources, and nothing is imported."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from importlib.machinery import PathFinder
from pathlib import Path
from pkgutil import iter_modules

from towpath.errors import UnknownName, UsageError
from towpath.pipeline.code.reach import Project as Code
from towpath.pipeline.code.syntax import Module
from towpath.pipeline.distributions import normal
from towpath.pipeline.signatures import Signature, public_in, signature_in


def used_signature(module: str, function: str) -> Signature:
    """What an installed function takes.

    Raises:
        UnknownName: there is no such module or function; the nearest are given.
        UsageError: no distribution that has the module is installed; or the function takes any number of inputs.
    """
    code, found = _module(module)
    takes = signature_in(code, found, function)
    if takes is None:
        raise UnknownName(f"function in {module}", function, public_in(code, found))
    return takes


def used_weaknesses(module: str, function: str) -> tuple[str, ...]:
    """What cannot be known of an installed function, in its package: places in that, in words. Raises as ``used_signature`` does."""
    code, found = _module(module)
    return code.weaknesses(function, found)


def _module(name: str) -> tuple[Code, Module]:
    top = name.partition(".")[0]
    places = _places(top)
    if not places:
        raise _not_installed(top)
    for place in places:
        code = Code(place, "", only=top)
        if found := code.module(name):
            return code, found
    near = [f"{top}.{below}" for place in places for below in _below(place / top)]
    raise UnknownName("module", name, [top, *near])


def _places(top: str) -> list[Path]:
    """The folders on the path that a package or module lies in."""
    spec = PathFinder.find_spec(top)
    if spec is None:
        return []
    within = [Path(place).parent for place in spec.submodule_search_locations or ()]
    return within or [Path(spec.origin or "").parent]


def _below(package: Path) -> Iterator[str]:
    for file in sorted(package.rglob("*.py")):
        if not file.name.startswith("_"):
            yield ".".join(file.relative_to(package).with_suffix("").parts)


def _not_installed(top: str) -> UsageError:
    near = get_close_matches(top, [module.name for module in iter_modules()], n=1)
    mend = f"did you mean {near[0]}? Otherwise install" if near else "install"
    return UsageError(
        f"no distribution with the module {top} is installed beside Towpath",
        mend=f"{mend} the one that has it, such as `pip install {normal(top)}`",
    )
