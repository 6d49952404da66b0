"""Running one command of a Typer app, and turning Typer's own complaints into errors of ours."""

from __future__ import annotations

from collections.abc import Sequence

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.main import get_group

from towpath.cli.app import Asked
from towpath.errors import UsageError

EPILOG = "Every verb: --project DIR, --json, --traceback."


def call(app: typer.Typer, verb: str, words: Sequence[str], asked: Asked) -> int:
    """Run ``verb`` with ``words``; the exit code.

    Raises:
        UsageError: the words do not fit the command.
    """
    group = get_group(app)
    command = group.commands[verb.rpartition(" ")[2]]
    command.epilog = EPILOG
    if isinstance(command, TyperGroup) and not words:
        words = ["--help"]
    try:
        answer = command.main(list(words), prog_name=f"towpath {verb}", standalone_mode=False, obj=asked)
    except TyperException as fault:
        raise UsageError(fault.format_message().rstrip("."), mend=f"`towpath {verb} --help` tells how it is called") from fault
    except typer.Abort:
        raise KeyboardInterrupt from None
    return answer if isinstance(answer, int) else 0
