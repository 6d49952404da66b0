"""What the image of a project is made of: an ordinary Containerfile (pure)."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from towpath.digest import Digest, of_value
from towpath.project_steps import ImagePlan

ENVIRONMENT = "environment"  # the stage that has no code: steps execute in it, and no edit of code makes it another
REQUIREMENTS = "requirements.txt"
PLACE = "/project/requirements.txt"  # inside
RECIPE = "towpath.recipe"  # the label


def recipe(image: ImagePlan, requirements: str, version: str) -> Digest:
    """Names all that the environment is made of: another one is another environment."""
    return of_value([_base(image), list(image.packages), requirements, version])


def containerfile(image: ImagePlan, requirements: str, version: str) -> str:
    """The text. What changes seldom comes first: an edit of code installs nothing again.

    Args:
        requirements: the text of the file of that name.
        version: of Towpath, which goes into the image as well.
    """
    lines = [f"FROM {_base(image)} AS {ENVIRONMENT}"]
    if image.packages:
        lines += [_run("apt-get update", _install(image.packages), "rm -rf /var/lib/apt/lists/*")]
    lines += [
        f"COPY {json.dumps([image.requirements or REQUIREMENTS, PLACE])}",
        _run(f"pip install --no-cache-dir --requirement {PLACE} towpath=={version}"),
        f"LABEL {RECIPE}={recipe(image, requirements, version)}",
        "",
        f"FROM {ENVIRONMENT}",
        "WORKDIR /project",
        "COPY . .",
    ]
    return "\n".join(lines) + "\n"


def _base(image: ImagePlan) -> str:
    return image.base or f"python:3.{sys.version_info.minor}-slim"


def _install(packages: Sequence[str]) -> str:
    return f"apt-get install --yes --no-install-recommends {' '.join(packages)}"


def _run(*commands: str) -> str:
    return "RUN " + " \\\n && ".join(commands)
