"""A base image of what this machine has: the running Python with the libraries that a worker needs, and a shell. Towpath is not in it.

In place of ``python:3.11-slim``, which would have to be fetched. No index is asked in it: what it lacks is nowhere to be had.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

DISTRIBUTIONS = ("blake3", "msgspec", "numpy", "pandas", "pip", "polars", "polars-runtime-32", "pyarrow", "python-dateutil", "six")
CONTAINERFILE = """
FROM scratch
COPY . /
ENV PATH=/usr/local/bin:/bin LD_LIBRARY_PATH=/usr/local/lib PIP_NO_INDEX=1 PIP_NO_DEPS=1
"""


def fill(root: Path) -> None:
    """Write the files of the image, and its Containerfile."""
    library = root / f"usr/local/lib/python3.{sys.version_info.minor}"
    here = Path(sysconfig.get_paths(vars={"base": sys.base_prefix, "installed_base": sys.base_prefix})["stdlib"])
    shutil.copytree(here, library, ignore=shutil.ignore_patterns("site-packages", "__pycache__", "test", "tests", "idlelib", "config-*"))
    for name in DISTRIBUTIONS:
        _distribution(metadata.distribution(name), library / "site-packages")
    (root / "usr/local/bin").mkdir(parents=True)
    program = root / "usr/local/bin/python3"
    shutil.copy(Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}"), program)
    (root / "usr/local/bin/pip").write_text('#!/bin/sh\nexec /usr/local/bin/python3 -m pip "$@"\n')
    (root / "usr/local/bin/pip").chmod(0o755)
    (root / "usr/local/bin/python").symlink_to("python3")
    (root / "bin").mkdir()
    tools = [shutil.copy(Path("/bin", name).resolve(), root / "bin" / name) for name in ("sh", "sleep")]
    _libraries([program, *tools, *library.rglob("*.so")], root)
    for folder in ("tmp", "etc", "proc", "dev", "sys", "run"):
        (root / folder).mkdir()
    (root / "tmp").chmod(0o1777)
    (root / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\n")
    (root / "Containerfile").write_text(CONTAINERFILE)


def _distribution(found: metadata.Distribution, target: Path) -> None:
    for file in found.files or ():
        source = Path(str(file.locate()))
        if ".." not in file.parts and "__pycache__" not in file.parts and file.suffix != ".pth" and source.is_file():
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target / file)


def _libraries(programs: Iterable[Path], root: Path) -> None:
    """What programs and modules are linked with."""
    said = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, check=False).stdout
    for library in sorted(set(re.findall(r"(/\S+) \(0x", said))):
        source = Path(library)
        if source.is_relative_to(root):
            continue
        inside = source.is_relative_to(sys.base_prefix) or "site-packages" in source.parts
        target = root / "usr/local/lib" / source.name if inside else root / library[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copy(source, target)
