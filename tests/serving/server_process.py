"""A server as a process: what it is told to serve is read from a file."""

import sys
from pathlib import Path
from typing import Any

import msgspec

from towpath.serving import Assignment, ServerSettings
from towpath.serving.run import serve
from towpath.store.local import LocalStore


def as_path(kind: Any, value: str) -> Any:
    return kind(value)


def main(root: Path, store: Path) -> None:
    def source() -> Assignment:
        return msgspec.json.decode((root / "assignment.json").read_bytes(), type=Assignment)

    settings = msgspec.convert(msgspec.json.decode((root / "settings.json").read_bytes()), ServerSettings, dec_hook=as_path)
    serve(settings, source, LocalStore(store))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
