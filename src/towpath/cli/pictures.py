"""Pictures as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from towpath.errors import Unavailable, UsageError
from towpath.report.picture import FORMS, Form


def draw(file: Path, drawn: Callable[[Form], bytes]) -> None:
    """Write a picture in the form that the file's name says.

    Raises:
        UsageError: the name says none.
        Unavailable: the file cannot be written.
        ModuleNotFoundError: the extra ``plots`` is not installed.
    """
    form = next((form for form in FORMS if file.suffix.lower() == f".{form}"), None)
    if form is None:
        raise UsageError(f"{file} is no picture by its name", mend=f"name it *.{', *.'.join(FORMS)}")
    try:
        file.write_bytes(drawn(form))
    except OSError as fault:
        raise Unavailable(
            f"{file} cannot be written: {fault.strerror or fault}", mend="name a folder that is there and may be written"
        ) from fault
