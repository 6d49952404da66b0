"""The distributions that a version was made with, installed anew in an environment of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

import towpath
from towpath.errors import Unavailable, UsageError
from towpath.pipeline.distributions import everything
from towpath.pipeline.reasons import Change, differences
from towpath.pipeline.runs import Run
from towpath.store import Store

OURS = "towpath"


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

    Raises:
        Unavailable: a distribution cannot be installed.
    """
    python, whole = folder / "bin" / "python", folder / "built"
    if not whole.exists():
        shutil.rmtree(folder, ignore_errors=True)
        tell(f"installing {len(distributions):,} distributions into {folder}")
        _install({name: version for name, version in distributions.items() if name != OURS}, folder, python)
    _copy(folder)
    whole.touch()
    return python


def _install(distributions: Mapping[str, str], folder: Path, python: Path) -> None:
    folder.mkdir(parents=True)
    wanted = folder / "distributions.txt"
    wanted.write_text("".join(f"{name}=={version}\n" for name, version in distributions.items()))
    if uv := shutil.which("uv"):
        steps = [[uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder)]]
        steps += [[uv, "pip", "install", "--quiet", "--no-deps", "--python", str(python), "-r", str(wanted)]]
    else:
        steps = [[sys.executable, "-m", "venv", str(folder)]]
        steps += [[str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", str(wanted)]]
    for words in steps:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise Unavailable(
                f"the environment cannot be built: {said[-1] if said else f'exit code {done.returncode}'}",
                mend=f"what it was to have is in {wanted}: see that each is still to be had where you install from",
            )


def _copy(folder: Path) -> None:
    """This Towpath, whichever was installed then: what is compared is made by the same engine."""
    scheme = {"base": str(folder), "platbase": str(folder)}
    target = Path(sysconfig.get_path("purelib", "venv", vars=scheme)) / OURS
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(Path(towpath.__file__).parent, target, ignore=shutil.ignore_patterns("__pycache__"))
