"""Every benchmark of this folder, one after the other; ``--json`` gives one object, by name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def names() -> list[str]:
    """The modules that can be run."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return [file.stem for file in files if file.stem != "__main__" and "__name__ ==" in file.read_text()]


def main() -> int:
    """The exit code is 1 when one of them failed or missed a goal."""
    as_json = "--json" in sys.argv[1:]
    told, failed = {}, False
    for name in names():
        command = [sys.executable, "-m", f"benchmarks.{name}", *sys.argv[1:]]
        done = subprocess.run(command, stdout=subprocess.PIPE if as_json else None, check=False)
        failed |= done.returncode != 0
        if as_json and done.stdout:
            told[name] = json.loads(done.stdout)
        elif not as_json:
            print(flush=True)
    if as_json:
        print(json.dumps(told))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
