"""The distributions that a version was made with, installed anew in an environment of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import Distribution
from pathlib import Path

import msgspec

from towpath.digest import of_bytes, of_value
from towpath.errors import Unavailable, UsageError
from towpath.pipeline.distributions import everything
from towpath.pipeline.reasons import Change, differences
from towpath.pipeline.runs import Run
from towpath.pipeline.wheels import OURS, Wheel, local, of_towpath, wheel
from towpath.store import Store


def recorded(run: Run, store: Store) -> dict[str, str]:
    """The version of each distribution that was installed when the run was made. Raises UsageError where that is not known."""
    if run.distributions is None or not store.has(run.distributions):
        raise UsageError(
            f"run {run.number} does not tell which distributions were installed",
            mend="leave `--env` out: what its steps import is compared with what is installed here",
        )
    return msgspec.json.decode(store.get(run.distributions), type=dict[str, str])


def known(run: Run, store: Store) -> dict[str, str]:
    """What is known of the distributions that were installed: all, or of an older run those that its steps import."""
    if run.distributions and store.has(run.distributions):
        return recorded(run, store)
    of_steps = [msgspec.json.decode(store.get(one.fingerprint), type=_Causes) for one in run.steps if store.has(one.fingerprint)]
    return {name: version for one in of_steps for name, version in one.distributions.items() if not name.startswith("files of ")}


def changed(run: Run, store: Store) -> list[Change]:
    """What is installed otherwise than when the run was made, as far as that is known."""
    before, here = known(run, store), everything()
    if not run.distributions:
        here = {name: version for name, version in here.items() if name in before}
    return differences({"distributions": before}, {"distributions": here})


class _Causes(msgspec.Struct):
    distributions: dict[str, str] = {}


def built(distributions: Mapping[str, str], folder: Path, tell: Callable[[str], None]) -> Path:
    """A Python with just these distributions and this Towpath, in ``folder``; one that was built whole is taken as it is.

    What was installed from this machine's files comes as it is now, as no index has what it was. What of that cannot be taken along is
    left out.

    Raises:
        Unavailable: a distribution cannot be installed.
    """
    python, whole = folder / "bin" / "python", folder / "built"
    here = {name: one for name, one in local().items() if name in distributions}
    wheels = [of_towpath(), *_along(here.values(), tell)]
    if here:
        tell(f"as they are on this machine, which no index has: {', '.join(_said(one, distributions[name]) for name, one in here.items())}")
    if not whole.exists():
        shutil.rmtree(folder, ignore_errors=True)
        others = {name: version for name, version in distributions.items() if name != OURS and name not in here}
        tell(f"installing {len(others):,} distributions into {folder}")
        _make(others, folder, python)
    mark = of_value({one.name: of_bytes(one.content) for one in wheels})
    if not whole.exists() or whole.read_text() != mark:
        _put(wheels, folder, python)
        whole.write_text(mark)
    return python


def _along(found: Iterable[Distribution], tell: Callable[[str], None]) -> Iterator[Wheel]:
    for one in found:
        try:
            yield wheel(one)
        except UsageError as fault:
            tell(f"left out: {fault}")


def _said(found: Distribution, before: str) -> str:
    return f"{found.name} {found.version}{f' (was {before})' if found.version != before else ''}"


def _make(distributions: Mapping[str, str], folder: Path, python: Path) -> None:
    folder.mkdir(parents=True)
    wanted = folder / "distributions.txt"
    wanted.write_text("".join(f"{name}=={version}\n" for name, version in distributions.items()))
    uv = shutil.which("uv")
    made = [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]
    _done([*made, str(folder)], wanted)
    _done([*_installing(python), "-r", str(wanted)], wanted)


def _put(wheels: Iterable[Wheel], folder: Path, python: Path) -> None:
    """Install wheels in place of those of before."""
    place = folder / "wheels"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for one in wheels:
        (place / one.name).write_bytes(one.content)
    again = "--reinstall" if shutil.which("uv") else "--force-reinstall"
    _done([*_installing(python), again, *map(str, sorted(place.iterdir()))], place)


def _installing(python: Path) -> list[str]:
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--no-deps", "--python", str(python)]
    return [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]


def _done(words: Sequence[str], wanted: Path) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Unavailable(
            f"the environment cannot be built: {said[-1] if said else f'exit code {done.returncode}'}",
            mend=f"what it was to have is in {wanted}: see that each is still to be had where you install from",
        )
