"""Patterns over names with ``/``, as paths have them in a bucket (pure)."""

from __future__ import annotations

import re

_SIGNS = re.compile(r"[*?\[]")
_TOKENS = re.compile(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]")
_AS_REGEX = {"**/": r"(?:.*/)?", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}


def split(path: str) -> tuple[str, str]:
    """The folder that a path begins with, without signs of a pattern; and the pattern below it, empty where there is none.

    >>> split("trips/2024/*/part-*.parquet"), split("trips/2024/")
    (('trips/2024', '*/part-*.parquet'), ('trips/2024', ''))
    """
    parts = [part for part in path.split("/") if part]
    first = next((place for place, part in enumerate(parts) if _SIGNS.search(part)), len(parts))
    return "/".join(parts[:first]), "/".join(parts[first:])


def matches(name: str, pattern: str) -> bool:
    """Whether a name is of a pattern: ``*`` and ``?`` stay within a folder, ``**`` does not. Every name is of the empty one.

    >>> matches("a/b.csv", "*.csv"), matches("a/b.csv", "**/*.csv"), matches("b.csv", "**/*.csv"), matches("a.csv", "[ab].csv")
    (False, True, True, True)
    """
    return not pattern or re.fullmatch(_regex(pattern), name, re.DOTALL) is not None


def _regex(pattern: str) -> str:
    found, end = [], 0
    for token in _TOKENS.finditer(pattern):
        found += [re.escape(pattern[end : token.start()]), _AS_REGEX.get(token[0], token[0])]
        end = token.end()
    return "".join([*found, re.escape(pattern[end:])])
