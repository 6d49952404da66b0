"""Which distributions an image gets: those of the project's own file, else those that are installed here."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

from towpath.errors import UsageError
from towpath.executors.containerfile import REQUIREMENTS
from towpath.project_steps import ImagePlan

OURS = ("towpath", "pip", "setuptools", "wheel")  # the first comes by its version, the others with the base


def requirements(plan: ImagePlan, tree: Path) -> str:
    """The text of a file of requirements. Raises UsageError where the one that is declared is not there."""
    file = tree / (plan.requirements or REQUIREMENTS)
    if file.is_file():
        return file.read_text()
    if plan.requirements:
        raise UsageError(f"there is no file {plan.requirements}", mend="add and commit it, or correct `image.requirements`")
    return frozen()


def frozen() -> str:
    """What is installed here, with versions; what was installed from a folder of this machine is nothing for an image, and left out."""
    found = {one.name: one.version for one in metadata.distributions() if one.name.lower() not in OURS and not _is_local(one)}
    return "".join(f"{name}=={version}\n" for name, version in sorted(found.items(), key=lambda item: item[0].lower()))


def _is_local(found: metadata.Distribution) -> bool:
    said = found.read_text("direct_url.json")
    return said is not None and json.loads(said)["url"].startswith("file:")
