"""Images, and workers in containers, by podman, docker or buildah."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from towpath.errors import TowpathError, UnknownName, UsageError
from towpath.executors.containerfile import ENVIRONMENT, RECIPE

PROGRAMS = ("podman", "docker", "buildah")
CHOICE = "TOWPATH_CONTAINERS"  # the variable that names one of them


class Image(NamedTuple):
    """An image that is here: the digest of its configuration, and the recipe that it was made by, if ``towpath image build`` made it."""

    identity: str
    recipe: str


def program(environ: Mapping[str, str]) -> str:
    """The program that is named, else the first that works here.

    Raises:
        UsageError: there is none.
    """
    if chosen := environ.get(CHOICE):
        if chosen not in PROGRAMS:
            raise UnknownName("program for containers", chosen, PROGRAMS)
        return chosen
    found = next((one for one in PROGRAMS if shutil.which(one) and not _asked([one, "info"]).returncode), None)
    if found is None:
        raise UsageError("no program for containers works here", mend=f"install one of {', '.join(PROGRAMS)}, or start docker's daemon")
    return found


def project_image(name: str, stage: str = ENVIRONMENT) -> str:
    """What the image of a project is called; without a stage, that with its code.

    >>> project_image("Rides"), project_image("Rides", "latest")
    ('localhost/towpath-rides:environment', 'localhost/towpath-rides:latest')
    """
    return f"localhost/towpath-{name.lower().rstrip('._-')}:{stage}"


class Containers:
    """``program`` is one of ``PROGRAMS``."""

    def __init__(self, program: str) -> None:
        self.program = program

    def build(self, folder: Path, tag: str, target: str = "") -> None:
        """Make an image of the Containerfile in a folder; what the program prints goes to stderr. Raises TowpathError where that fails."""
        words = [self.program, "build", "--tag", tag, "--file", str(folder / "Containerfile")]
        words += ["--layers"] * (self.program == "buildah") + ["--target", target] * bool(target)
        if code := subprocess.run([*words, str(folder)], stdout=2, stdin=subprocess.DEVNULL, check=False).returncode:
            raise TowpathError(f"`{' '.join(words[:2])}` failed with exit code {code}", mend="see above what it printed")

    @cache  # noqa: B019 - a run asks for each of its few images once a step
    def image(self, name: str) -> Image | None:
        """An image by name; None where it is not here."""
        words = ["inspect", "--type", "image"] if self.program == "buildah" else ["image", "inspect"]
        done = _asked([self.program, *words, name])
        return None if done.returncode else _image(json.loads(done.stdout))

    def pull(self, name: str) -> None:
        """Fetch an image. Raises UsageError where that fails."""
        done = _asked([self.program, "pull", name])
        if done.returncode:
            raise UsageError(
                f"there is no image {name} here, and it cannot be fetched: {done.stderr.strip().rpartition(chr(10))[2]}",
                mend="correct its name, or build it; for `container: project`: `towpath image build`",
            )
        Containers.image.cache_clear()

    def worker(self, identity: str, tree: str, root: str, home: str) -> list[str]:
        """The command of a worker in a container, which sees the project's state and a tree of code where they are outside."""
        inside = ["python", "-m", "towpath.executors.contained", root, home]
        mounts = ["--volume", f"{home}:{home}", "--volume", f"{tree}:{tree}:ro", "--env", "PYTHONHASHSEED=0", "--env", "HOME=/tmp"]
        if self.program == "buildah":
            return ["buildah", "run", *mounts, self._container(identity), "--", *inside]
        user = ["--user", f"{os.getuid()}:{os.getgid()}", *["--userns=keep-id"] * (self.program == "podman" and os.getuid() > 0)]
        return [self.program, "run", "--interactive", "--rm", "--security-opt", "label=disable", *user, *mounts, identity, *inside]

    @cache  # noqa: B019
    def _container(self, identity: str) -> str:
        """Buildah runs in containers that stay: one an image, which its workers share."""
        name = f"towpath-{identity.rpartition(':')[2][:16]}"
        if _asked(["buildah", "inspect", name]).returncode:
            done = _asked(["buildah", "from", "--pull-never", "--name", name, identity])
            if done.returncode and _asked(["buildah", "inspect", name]).returncode:  # another run may have been first
                raise TowpathError(f"`buildah from` failed: {done.stderr.strip()}", mend="try the same by hand")
        return name


def _asked(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    except FileNotFoundError:
        raise UsageError(f"there is no `{words[0]}` on this machine", mend=f"install it, or name another in {CHOICE}") from None


def _image(said: Any) -> Image:
    """What `inspect` says: buildah in another form than the others, and only docker with the name of the digest."""
    found, config = (said[0]["Id"], said[0]["Config"]) if isinstance(said, list) else (said["FromImageID"], said["OCIv1"]["config"])
    return Image(f"sha256:{found.removeprefix('sha256:')}", (config.get("Labels") or {}).get(RECIPE, ""))
