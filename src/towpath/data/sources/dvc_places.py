"""Where DVC keeps bytes: its cache and its remotes, in a folder or in a bucket."""

from __future__ import annotations

import os
import shutil
from importlib import import_module
from pathlib import Path
from typing import Protocol

from towpath.data.sources import dvc_files
from towpath.data.sources.dvc_files import Config, Remote
from towpath.errors import Unavailable, UnknownName, UsageError

HOME = ".dvc"
_AS_CLOUD = {
    "endpointurl": "endpoint",
    "region": "region",
    "access_key_id": "access_key_id",
    "secret_access_key": "secret_access_key",
    "session_token": "session_token",
}
_UNKNOWN = {"profile", "credentialpath", "configpath"}


class Place(Protocol):
    """Bytes by their key."""

    def has(self, key: str) -> bool:
        """Whether they are there."""
        ...

    def fetch(self, key: str, target: Path) -> None:
        """Write them to a new file. Raises Unavailable where they are not there."""
        ...

    def put(self, path: Path, key: str) -> None:
        """Keep those of a file, whole or not at all."""
        ...


class Folder:
    """A place on this machine, or on a share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, key: str) -> bool:
        return (self.folder / key).is_file()

    def fetch(self, key: str, target: Path) -> None:
        try:
            shutil.copyfile(self.folder / key, target)
        except OSError as fault:
            raise Unavailable(f"{self.folder / key} cannot be read: {fault.strerror}", mend="look whether the share is there") from fault

    def put(self, path: Path, key: str) -> None:
        final = self.folder / key
        half = final.with_name(f".{final.name}.{os.getpid()}")
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, half)
            half.replace(final)
        except OSError as fault:
            raise Unavailable(
                f"{final} cannot be written: {fault.strerror}", mend="look whether the share is there, and at its rights"
            ) from fault


def home_of(path: Path) -> Path:
    """The ``.dvc`` folder of the repository that a path lies in. Raises UsageError where there is none."""
    for folder in (path, *path.parents):
        if (folder / HOME).is_dir():
            return folder / HOME
    raise UsageError(f"{path} lies in no repository of DVC", mend="`dvc init`, with the data's `.dvc/config` committed")


def config_of(home: Path) -> Config:
    """What ``.dvc/config`` says, and ``config.local`` over it."""
    files = [home / "config", home / "config.local"]
    return dvc_files.config(*(file.read_text(encoding="utf-8") for file in files if file.is_file()))


def cache_of(home: Path, config: Config) -> Folder:
    """The cache of a repository."""
    return Folder(home / Path(config.cache or "cache").expanduser())


def remote_of(home: Path, config: Config, name: str | None = None) -> Place | None:
    """The remote of that name, or the default one; None where there is none.

    Raises:
        UnknownName: there is no such remote.
        UsageError: it is of a kind that is not read here.
    """
    wanted = name or config.default
    if wanted is None:
        return None
    if wanted not in config.remotes:
        raise UnknownName("remote of DVC", wanted, config.remotes)
    return place_at(config.remotes[wanted], home)


def place_at(remote: Remote, home: Path) -> Place:
    """The place of a remote; a path is relative to the folder of the configuration. Raises UsageError as ``remote_of`` does."""
    scheme, is_url, rest = remote.url.partition("://")
    if not is_url or scheme == "file":
        return Folder(home / Path(rest if is_url else remote.url).expanduser())
    if scheme != "s3":
        raise UsageError(f"a remote of DVC at {scheme}:// is not read here", mend="`dvc fetch` brings its files into the cache, which is")
    if strange := sorted(_UNKNOWN & remote.options.keys()):
        mend = "give the credentials in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), or `dvc fetch` the files"
        raise UsageError(f"the remote of DVC at {remote.url} is configured by `{strange[0]}`, which is not read here", mend=mend)
    options = {ours: remote.options[theirs] for theirs, ours in _AS_CLOUD.items() if theirs in remote.options}
    place: Place = import_module("towpath.data.sources.objects").Objects(remote.url, config=options)
    return place
