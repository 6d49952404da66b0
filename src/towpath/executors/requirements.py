"""Which distributions an image gets: those of the project's own file, else those that are installed here; and this Towpath."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from towpath import __version__
from towpath.errors import UsageError
from towpath.executors.containerfile import REQUIREMENTS, Wanted
from towpath.pipeline.wheels import OURS, Wheel, direct, is_release, local, of_towpath, wheel
from towpath.project_steps import ImagePlan

OF_THE_BASE = (OURS, "pip", "setuptools", "wheel")  # the first comes by its version or as a wheel, the others with the base


def wanted(plan: ImagePlan, tree: Path) -> Wanted:
    """What is to be installed.

    Raises:
        UsageError: the file of requirements that is declared is not there; or there is none, and something is installed here that cannot
            be taken along.
    """
    text = declared(plan, tree)
    ours = () if is_release() else (of_towpath(),)
    others = () if text is not None else tuple(map(_along, local().values()))
    return Wanted(frozen() if text is None else text, () if ours else (f"{OURS}=={__version__}",), (*ours, *others))


def declared(plan: ImagePlan, tree: Path) -> str | None:
    """The text of the project's file of requirements; None where it has none. Raises UsageError where a declared one is not there."""
    file = tree / (plan.requirements or REQUIREMENTS)
    if file.is_file():
        return file.read_text()
    if plan.requirements:
        raise UsageError(f"there is no file {plan.requirements}", mend="add and commit it, or correct `image.requirements`")
    return None


def frozen() -> str:
    """What an index, a repository or another address gave, as it is installed here; a line each."""
    found = {one.name: _line(one) for one in metadata.distributions() if one.name.lower() not in OF_THE_BASE}
    return "".join(f"{line}\n" for _, line in sorted(found.items(), key=lambda item: item[0].lower()) if line)


def _line(found: metadata.Distribution) -> str:
    """A requirement, as `pip freeze` would write it; of what this machine's files gave none."""
    said = direct(found)
    url, vcs = str(said.get("url", "")), said.get("vcs_info")
    if url.startswith("file:"):
        return ""
    if isinstance(vcs, dict):
        return f"{found.name} @ {vcs['vcs']}+{url}@{vcs['commit_id']}"
    return f"{found.name} @ {url}" if url else f"{found.name}=={found.version}"


def _along(found: metadata.Distribution) -> Wheel:
    try:
        return wheel(found)
    except UsageError as fault:
        raise UsageError(fault.what, mend=f"{fault.mend}, or say in {REQUIREMENTS} what the image gets") from None
