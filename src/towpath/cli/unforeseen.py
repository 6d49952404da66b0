"""What nobody foresaw: one line for people, and a file for who mends it. Loaded only when it happens."""

from __future__ import annotations

import errno
import os
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path
from time import strftime

from towpath import __version__
from towpath.cli.app import Asked
from towpath.errors import TowpathError, Unavailable

_FULL = (errno.ENOSPC, errno.EDQUOT)


def told(error: Exception, asked: Asked, environ: Mapping[str, str]) -> TowpathError:
    """The error in words; its traceback goes to a file, which they name. A full disk is nobody's fault."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return Unavailable(f"the disk is full: {error}", mend="make room there, then try again: nothing is half-written")
    file = _faults(Path(asked.folder), environ) / f"fault-{strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"towpath {__version__} {' '.join(asked.words)}\n\n{''.join(traceback.format_exception(error))}", encoding="utf-8")
        where = f"the traceback is in {file}"
    except OSError as fault:
        where = f"the traceback could not be kept ({fault}); --traceback prints it"
    found = TowpathError(
        f"unexpected {type(error).__name__}: {error}",
        mend=f"this is a fault of Towpath; report it with what you typed: {where}",
    )
    found.__cause__ = error
    return found


def _faults(folder: Path, environ: Mapping[str, str]) -> Path:
    """Where to leave a traceback: the project's home, or a temporary folder where there is no project."""
    root = next((place for place in (folder, *folder.resolve().parents) if (place / "towpath.yaml").is_file()), None)
    if root is None:
        return Path(tempfile.gettempdir())
    return Path(environ.get("TOWPATH_HOME") or root.resolve() / ".towpath") / "faults"
