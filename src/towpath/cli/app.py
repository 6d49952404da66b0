"""From the words on the command line to the verb's own module; from an error to words and an exit code.

Only what every call needs is imported here: ``towpath --help`` is to be there at once.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

from towpath import __version__
from towpath.cli.extras import missing
from towpath.cli.table import FAMILIES, VERBS, family_of, first_screen, screen_of
from towpath.errors import TowpathError, UnknownName, UsageError

GARBAGE_AT = 50_000  # new objects: a command makes many that live to its end, and looking through them is a seventh of a short one
INTERRUPTED = 130  # 128 + SIGINT, as shells say it


class Asked(NamedTuple):
    """What was asked for: a verb with its words, and the options that every verb has."""

    words: tuple[str, ...]
    folder: str = "."
    json: bool = False
    traceback: bool = False


def command() -> int:
    """Run the command that was typed, as the last thing that this process does."""
    code = main()
    gc.freeze()  # at its end the interpreter would look through all objects once more
    return code


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0, 1 (refused or broken), 2 (the call was wrong) or 130 (interrupted)."""
    words = list(sys.argv[1:] if argv is None else argv)
    gc.set_threshold(GARBAGE_AT)
    try:
        return _run(words)
    except TowpathError as error:
        _tell(error, words)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the last flush is quiet too
        return 1
    except Exception as error:  # the border: what nobody foresaw becomes one line for people, and a file for who mends it
        told = missing(error) or import_module("towpath.cli.unforeseen").told(error, parse(words, strict=False), os.environ)
        _tell(told, words)
        return told.exit_code


def _run(words: list[str]) -> int:
    asked = parse(words)
    if not asked.words or asked.words[0] in ("--help", "-h", "help"):
        print(first_screen(__version__))
        return 0
    verb, *rest = asked.words
    if verb == "--version":
        print(json.dumps({"version": __version__}) if asked.json else f"towpath {__version__}")
        return 0
    if verb.startswith("-"):
        raise UsageError(f"there is no option {verb} before the verb", mend="write the verb first: `towpath VERB [OPTIONS]`")
    if verb in FAMILIES and (not rest or rest[0] in ("--help", "-h")):
        print(screen_of(verb))
        return 0
    if verb in FAMILIES and f"{verb} {rest[0]}" not in VERBS:
        raise UnknownName(f"verb of `{verb}`", rest[0], family_of(verb))
    if rest and f"{verb} {rest[0]}" in VERBS:
        verb, *rest = f"{verb} {rest[0]}", *rest[1:]
    if verb not in VERBS:
        raise _unknown(verb)
    module = import_module(VERBS[verb].module)
    code: int = import_module("towpath.cli.calling").call(module.app, verb, rest, asked)
    return code


def parse(words: Sequence[str], *, strict: bool = True) -> Asked:
    """Take the options that every verb has out of the words, wherever they stand before a ``--``."""
    left: list[str] = []
    asked = Asked(())
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if word == "--":
            left += [word, *queue]
            break
        name, equals, value = word.partition("=")
        if name == "--project":
            if not (equals or queue) and strict:
                raise UsageError("--project needs a folder", mend="--project DIR, where DIR has a towpath.yaml")
            asked = asked._replace(folder=value if equals else queue.pop(0) if queue else ".")
        elif word == "--json":
            asked = asked._replace(json=True)
        elif word == "--traceback":
            asked = asked._replace(traceback=True)
        else:
            left.append(word)
    return asked._replace(words=tuple(left))


def _unknown(verb: str) -> UnknownName:
    error = UnknownName("verb", verb, {name.split()[0] for name, known in VERBS.items() if known.group})
    error.mend += "; `towpath --help` shows all"
    return error


def _tell(error: TowpathError, words: Sequence[str]) -> None:
    """The one place where an error becomes words, on stderr."""
    asked = parse(words, strict=False)
    if asked.traceback:
        import_module("traceback").print_exception(error)
    if asked.json:
        print(json.dumps({"error": error.what, "mend": error.mend}), file=sys.stderr)
    else:
        print(f"error: {error.what}\n mend: {error.mend}", file=sys.stderr)
