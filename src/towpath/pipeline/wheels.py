"""Wheels of distributions that no index has: made of what is installed here from a folder or a file of this machine."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import towpath
from towpath.errors import UsageError
from towpath.pipeline.distributions import normal

OURS = "towpath"
_OF_THE_INSTALLER = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
_BEGINNING = (1980, 1, 1, 0, 0, 0)  # of equal files, equal bytes


class Wheel(NamedTuple):
    """A wheel, and the name that an installer reads its tags from."""

    name: str
    content: bytes


def direct(found: metadata.Distribution) -> Mapping[str, object]:
    """Where a distribution came from that no index gave (PEP 610); nothing of others."""
    said: Mapping[str, object] = json.loads(found.read_text("direct_url.json") or "{}")
    return said


def is_local(found: metadata.Distribution) -> bool:
    """Whether it was installed from this machine's files."""
    return str(direct(found).get("url", "")).startswith("file:")


def local() -> dict[str, metadata.Distribution]:
    """Those that were installed from this machine's files, by their normal names; not Towpath."""
    found = {normal(one.name): one for one in metadata.distributions() if is_local(one)}
    return {name: one for name, one in sorted(found.items()) if name != OURS}


def is_release() -> bool:
    """Whether the running Towpath is one that an index gave."""
    found = metadata.distribution(OURS)
    return not direct(found) and Path(str(found.locate_file(OURS))) == Path(towpath.__file__).parent


def of_towpath() -> Wheel:
    """The running Towpath, from wherever it runs."""
    return _packed(metadata.distribution(OURS), dict(_module(OURS)))


def wheel(found: metadata.Distribution) -> Wheel:
    """What is installed of a distribution; of one that is edited where it lies, its modules as they are.

    Raises:
        UsageError: it is edited where it lies, and does not say which modules it has.
    """
    info = direct(found).get("dir_info")
    if not (isinstance(info, dict) and info.get("editable")):
        return _packed(found, dict(_listed(found)))
    files = {name: file for module in (found.read_text("top_level.txt") or "").split() for name, file in _module(module)}
    if not files:
        raise UsageError(
            f"{found.name} {found.version} is installed to be edited in {direct(found)['url']}, and does not say which modules it has",
            mend="install it without `--editable`",
        )
    return _packed(found, files)


def _listed(found: metadata.Distribution) -> Iterator[tuple[str, Path]]:
    for file in found.files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts and not file.parts[0].endswith(".dist-info"):
            yield file.as_posix(), Path(str(file.locate()))


def _module(name: str) -> Iterator[tuple[str, Path]]:
    """The files of a module or package that stands at the top, found without importing it."""
    spec = find_spec(name)
    for place in map(Path, (spec.submodule_search_locations or [str(spec.origin)]) if spec else ()):
        for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if file.is_file() and "__pycache__" not in file.parts:
                yield file.relative_to(place.parent).as_posix(), file


def _packed(found: metadata.Distribution, files: Mapping[str, Path]) -> Wheel:
    label = f"{normal(found.name).replace('-', '_')}-{found.version}"
    contents = {name: file.read_bytes() for name, file in files.items()}
    contents |= {f"{label}.dist-info/{name}": content for name, content in _told(found)}
    record = "".join(f"{name},sha256={_sha256(content)},{len(content)}\n" for name, content in sorted(contents.items()))
    contents[f"{label}.dist-info/RECORD"] = f"{record}{label}.dist-info/RECORD,,\n".encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in sorted(contents.items()):
            archive.writestr(zipfile.ZipInfo(name, _BEGINNING), content)
    return Wheel(f"{label}-{_tag(found)}.whl", packed.getvalue())


def _told(found: metadata.Distribution) -> Iterator[tuple[str, bytes]]:
    """What a distribution says of itself."""
    for file in found.files or ():
        if file.parts[0].endswith(".dist-info") and file.name not in _OF_THE_INSTALLER:
            yield file.relative_to(file.parts[0]).as_posix(), Path(str(file.locate())).read_bytes()


def _sha256(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _tag(found: metadata.Distribution) -> str:
    tags = [line.partition(":")[2].strip() for line in (found.read_text("WHEEL") or "").splitlines() if line.startswith("Tag:")]
    return tags[0] if tags else "py3-none-any"
