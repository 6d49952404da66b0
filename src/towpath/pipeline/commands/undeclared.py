"""Which file of the project a command missed, told from what it printed."""

from __future__ import annotations

import re
from pathlib import Path

_WORD = re.compile(r"[\w.@+/-]+")


def undeclared(printed: str, tree: Path, folder: Path) -> str | None:
    """The first file of the project ``tree`` that is named in ``printed``, by its path, its name, or as a Python module, and is not in
    ``folder``; None where there is none.
    """
    words = {word.strip(".") or word for word in _WORD.findall(printed)}
    names = {word.rpartition("/")[2] for word in words}
    modules = {word for word in words if "No module named" in printed}
    files = sorted(file.relative_to(tree) for file in tree.rglob("*") if file.is_file())
    missing = [file for file in files if not (folder / file).exists()]
    by_path = (file for file in missing if str(file) in words)
    by_name = (file for file in missing if file.name in names)
    by_module = (file for file in missing if file.suffix == ".py" and modules & {file.stem, file.parts[0]})
    found = next(by_path, None) or next(by_name, None) or next(by_module, None)
    return str(found) if found else None
