"""What the image of a project is made of: an ordinary Containerfile (pure)."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from towpath.digest import Digest, of_bytes, of_value
from towpath.project_steps import ImagePlan

if TYPE_CHECKING:  # making wheels loads much, and most runs make none
    from towpath.pipeline.wheels import Wheel

ENVIRONMENT = "environment"  # the stage that has no code: steps execute in it, and no edit of code makes it another
REQUIREMENTS = "requirements.txt"
WHEELS = "towpath-wheels"  # a folder beside the Containerfile
PLACE = "/project/requirements.txt"  # inside
RECIPE = "towpath.recipe"  # the label


class Wanted(NamedTuple):
    """What is installed in an image: the text of its file of requirements, some more of them, and wheels of what no index has."""

    requirements: str
    more: tuple[str, ...] = ()
    wheels: tuple[Wheel, ...] = ()


def recipe(image: ImagePlan, wanted: Wanted) -> Digest:
    """Names all that the environment is made of: another one is another environment."""
    wheels = {one.name: of_bytes(one.content) for one in wanted.wheels}
    return of_value([_base(image), list(image.packages), wanted.requirements, list(wanted.more), wheels])


def containerfile(image: ImagePlan, wanted: Wanted) -> str:
    """The text. What changes seldom comes first: an edit of code installs nothing again."""
    lines = [f"FROM {_base(image)} AS {ENVIRONMENT}"]
    if image.packages:
        lines += [_run("apt-get update", _install(image.packages), "rm -rf /var/lib/apt/lists/*")]
    lines += [f"COPY {json.dumps([image.requirements or REQUIREMENTS, PLACE])}"]
    if wanted.wheels:
        lines += [f"COPY {json.dumps([WHEELS, f'/project/{WHEELS}'])}"]
    lines += [
        _run(*_installed(wanted)),
        f"LABEL {RECIPE}={recipe(image, wanted)}",
        "",
        f"FROM {ENVIRONMENT}",
        "WORKDIR /project",
        "COPY . .",
    ]
    return "\n".join(lines) + "\n"


def _installed(wanted: Wanted) -> list[str]:
    """All together, so that what they require is found for all; then the wheels, as pip takes an equal version in the base for the same."""
    wheels = [f"/project/{WHEELS}/*.whl"] if wanted.wheels else []
    together = " ".join(["pip install --no-cache-dir --requirement", PLACE, *wanted.more, *wheels])
    return [together, *(f"pip install --no-cache-dir --no-deps --force-reinstall {place}" for place in wheels)]


def _base(image: ImagePlan) -> str:
    return image.base or f"python:3.{sys.version_info.minor}-slim"


def _install(packages: Sequence[str]) -> str:
    return f"apt-get install --yes --no-install-recommends {' '.join(packages)}"


def _run(*commands: str) -> str:
    return "RUN " + " \\\n && ".join(commands)
