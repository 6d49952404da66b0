"""The files that DVC keeps beside data, read and written: ``.dvc`` files, lists of folders, and ``.dvc/config`` (pure)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigError
from io import StringIO
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from towpath.errors import UsageError

_MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")
_SECTION = re.compile(r"""['"]?remote "(.+?)"['"]?""")


class Out(NamedTuple):
    """What a ``.dvc`` file names: a file, or a folder where ``md5`` ends with ``.dir``.

    ``old``: by DVC 2, which took the MD5 of texts with the ends of their lines as Unix has them. ``remote``: where it must lie, by name.
    """

    path: str
    md5: str
    size: int = 0
    old: bool = False
    remote: str | None = None

    @property
    def is_folder(self) -> bool:
        return self.md5.endswith(".dir")


class Member(NamedTuple):
    """A file of a folder: its path in there."""

    path: str
    md5: str


def outs(text: str, source: str) -> list[Out]:
    """What the text of a ``.dvc`` file names, with paths relative to its own folder.

    Raises:
        UsageError: it is none, or names something that DVC has not hashed by MD5.
    """
    try:
        read = YAML(typ="safe").load(text)
    except YAMLError as fault:
        raise _no_dvc(source, str(fault).partition("\n")[0]) from None
    if not isinstance(read, dict) or not isinstance(read.get("outs"), list) or not read["outs"]:
        raise _no_dvc(source, "it has no `outs`")
    folder = str(read.get("wdir", "."))
    return [_out(one, folder, source) for one in read["outs"]]


def _out(one: Any, folder: str, source: str) -> Out:
    md5, path = (str(one.get(key, "")) for key in ("md5", "path")) if isinstance(one, dict) else ("", "")
    if not _MD5.fullmatch(md5) or not path:
        raise _no_dvc(source, f"{path or 'an output'} has no MD5")
    return Out(f"{folder}/{path}", md5, int(one.get("size", 0)), old=one.get("hash") != "md5", remote=one.get("remote"))


def _no_dvc(source: str, why: str) -> UsageError:
    return UsageError(f"{source} names no data: {why}", mend="make it anew: `dvc add`, or `dvc commit`")


def members(data: bytes, source: str) -> list[Member]:
    """The files in the list of a folder. Raises UsageError where it is none."""
    try:
        return [Member(str(one["relpath"]), str(one["md5"])) for one in json.loads(data)]
    except (ValueError, TypeError, KeyError) as fault:
        raise UsageError(f"the list of a folder in {source} cannot be read: {fault}", mend="`dvc push` it again from where it is") from None


def list_of(files: Iterable[Member]) -> bytes:
    """The list of a folder, byte for byte as DVC writes it, so that it has the same MD5."""
    return json.dumps([{"md5": one.md5, "relpath": one.path} for one in sorted(files, key=lambda one: one.path)]).encode()


def text_of(out: Out, count: int | None = None) -> str:
    """A ``.dvc`` file for one output; ``count`` are the files of a folder."""
    lines = [f"- md5: {out.md5}", f"  size: {out.size}", *([f"  nfiles: {count}"] if count is not None else []), "  hash: md5"]
    return "\n".join(["outs:", *lines, f"  path: {json.dumps(out.path, ensure_ascii=False) if _is_odd(out.path) else out.path}", ""])


def _is_odd(path: str) -> bool:
    return re.fullmatch(r"[A-Za-z][\w./-]*", path, re.ASCII) is None


class Remote(NamedTuple):
    """Where DVC sends data: a URL or a path, and what its configuration says of it."""

    url: str
    options: Mapping[str, str]


class Config(NamedTuple):
    """What a repository's configuration says: the ``cache`` if it lies elsewhere, its remotes by name, and which one is meant."""

    cache: str | None
    remotes: dict[str, Remote]
    default: str | None


def config(*texts: str) -> Config:
    """What ``.dvc/config`` and the files that go over it say, the last one first."""
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        for text in texts:
            parser.read_file(StringIO(text))
    except ConfigError as fault:
        raise UsageError(
            f".dvc/config cannot be read: {str(fault).splitlines()[0]}", mend="mend it; `dvc config --list` reads it"
        ) from None
    remotes = {}
    for section in parser.sections():
        if (named := _SECTION.fullmatch(section)) and parser.has_option(section, "url"):
            options = {key: value.strip("\"'") for key, value in parser.items(section)}
            remotes[named[1]] = Remote(options.pop("url"), options)
    return Config(parser.get("cache", "dir", fallback=None), remotes, parser.get("core", "remote", fallback=None))


def config_text(url: str) -> str:
    """A configuration with one remote."""
    return f"[core]\n    remote = towpath\n['remote \"towpath\"']\n    url = {url}\n"


def key_of(md5: str, *, old: bool) -> str:
    """Where bytes lie in a cache or a remote.

    >>> key_of("9dd4e461268c8034f5c8564e155c67a6", old=False)
    'files/md5/9d/d4e461268c8034f5c8564e155c67a6'
    """
    return f"{md5[:2]}/{md5[2:]}" if old else f"files/md5/{md5[:2]}/{md5[2:]}"
