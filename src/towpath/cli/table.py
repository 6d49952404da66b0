"""Every verb: its group, the module that is imported when it runs, and what it does in one line.

The first screen is printed from here alone, so that ``towpath --help`` imports no command.
"""

from __future__ import annotations

from typing import NamedTuple


class Verb(NamedTuple):
    """One verb. ``module`` has a Typer called ``app`` with a command or a group of the verb's name."""

    module: str
    group: str
    summary: str


# an empty group keeps a verb off the first screen: it is called by the loop, not by people
VERBS: dict[str, Verb] = {
    "init": Verb("towpath.cli.start", "daily", "start a project on a CSV or Parquet file"),
    "verify": Verb("towpath.cli.trust", "trust", "check that the ledger is what was written"),
    "history": Verb("towpath.cli.trust", "trust", "what happened, in order; what was live at a time"),
    "doctor": Verb("towpath.cli.doctor", "admin", "what is installed, what is missing and how to mend it"),
    "config": Verb("towpath.cli.config", "admin", "the project as it is understood; the schema of towpath.yaml"),
}

GROUPS = ("daily", "live", "data", "watch", "trust", "admin")


def first_screen(version: str) -> str:
    """What ``towpath --help`` prints."""
    lines = [f"Towpath {version}: every change to a model goes through gates, on evidence.", "", "  towpath VERB [OPTIONS]", ""]
    for group in GROUPS:
        verbs = [(name, verb) for name, verb in VERBS.items() if verb.group == group]
        labels = [group, *[""] * len(verbs)]
        lines += [f"{label:<8}{name:<12}{verb.summary}" for label, (name, verb) in zip(labels, verbs, strict=False)]
    return "\n".join([*lines, "", *OPTIONS, "", "Begin:  towpath init DATA.csv --label COLUMN"])


OPTIONS = (
    "towpath VERB --help says more. For every verb:",
    "  --project DIR   the project's folder (here: the nearest towpath.yaml above)",
    "  --json          print for machines",
    "  --traceback     where an error came from",
)
