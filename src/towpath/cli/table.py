"""Every verb: its group, the module that is imported when it runs, and what it does in one line.

The first screen is printed from here alone, so that ``towpath --help`` imports no command.
"""

from __future__ import annotations

from textwrap import shorten
from typing import NamedTuple


class Verb(NamedTuple):
    """One verb. ``module`` has a Typer called ``app`` with a command of the verb's name: of its last word, where it has two."""

    module: str
    group: str
    summary: str


# an empty group keeps a verb off the first screen: it is called by the loop, not by people
VERBS: dict[str, Verb] = {
    "init": Verb("towpath.cli.start", "daily", "start a project on a CSV or Parquet file"),
    "run": Verb("towpath.cli.run", "daily", "check the data, train, judge, register"),
    "status": Verb("towpath.cli.daily", "daily", "what serves, what goes on, what waits"),
    "runs": Verb("towpath.cli.runs", "daily", "every run: cause, commit, outcome and why"),
    "show": Verb("towpath.cli.runs", "daily", "a version or a run in full"),
    "compare": Verb("towpath.cli.compare", "daily", "versions or runs side by side: what differs, and what does not"),
    "why": Verb("towpath.cli.runs", "daily", "why a version stands where it stands; what two differ in, and what did what"),
    "why step": Verb("towpath.cli.why", "daily", "why a step was executed, or was reused, with the diff"),
    "trials": Verb("towpath.cli.trials", "daily", "what a search tried, and the leaderboard of models"),
    "predict": Verb("towpath.cli.daily", "daily", "score the rows of a file with the live version"),
    "backtest": Verb("towpath.cli.backtest", "daily", "what would the loop have done over the project's past?"),
    "up": Verb("towpath.cli.live", "live", "serve, watch, retrain and release, until Ctrl-C"),
    "serve": Verb("towpath.cli.live", "live", "serve what is live, without the loop"),
    "turn": Verb("towpath.cli.live", "live", "one turn of the loop: for cron or CI"),
    "deploy": Verb("towpath.cli.live", "live", "ask for a version to be released"),
    "rollback": Verb("towpath.cli.live", "live", "take back the release or the champion"),
    "pause": Verb("towpath.cli.live", "live", "hold the release that is going on"),
    "resume": Verb("towpath.cli.live", "live", "let a paused release go on"),
    "release": Verb("towpath.cli.live", "live", "how the release stands, with its evidence"),
    "stage": Verb("towpath.cli.live", "", "check a version in staging"),
    "tell": Verb("towpath.cli.live", "", "tell the world outside"),
    "data add": Verb("towpath.cli.data", "data", "keep datasets as they are now, and write towpath.lock"),
    "data status": Verb("towpath.cli.data", "data", "which files are new, changed or gone since towpath.lock"),
    "data diff": Verb("towpath.cli.data_diff", "data", "what two versions differ in: files, columns, rows, values"),
    "data history": Verb("towpath.cli.data_lock", "data", "the versions of datasets, and what was trained on them"),
    "data checkout": Verb("towpath.cli.data_checkout", "data", "make the files those that towpath.lock names"),
    "data check": Verb("towpath.cli.data_checks", "data", "hold datasets against their checks, as a run does"),
    "data propose": Verb("towpath.cli.data_checks", "data", "propose checks from what the data is now"),
    "data exclude": Verb("towpath.cli.data_rows", "data", "leave rows out of every later run, with a reason"),
    "data erase": Verb("towpath.cli.data_erase", "data", "take a person's rows out of files, store and journal"),
    "data push": Verb("towpath.cli.data_remote", "data", "send what the remote does not have yet"),
    "data pull": Verb("towpath.cli.data_remote", "data", "bring what towpath.lock names from the remote"),
    "data gc": Verb("towpath.cli.data_gc", "data", "remove what no commit and no event names"),
    "data export": Verb("towpath.cli.data_export", "data", "write .dvc files, for DVC"),
    "data merge": Verb("towpath.cli.data_lock", "", "merge towpath.lock, for Git"),
    "drift": Verb("towpath.cli.watch", "watch", "which columns look otherwise than in training"),
    "monitor": Verb("towpath.cli.watch", "watch", "findings, and how right the answers were"),
    "labels": Verb("towpath.cli.watch", "watch", "send labels from a file to the running server"),
    "request": Verb("towpath.cli.watch", "watch", "a request for the live version, ready for curl"),
    "decisions": Verb("towpath.cli.runs", "watch", "what started a run, and what did not, with reasons"),
    "image build": Verb("towpath.cli.image", "daily", "make the image in which steps may execute"),
    "ledger import": Verb("towpath.cli.ledger", "trust", "lay a ledger kept alone into the team's, to be read only"),
    "reproduce": Verb("towpath.cli.reproduce", "trust", "make a version again, and prove that it comes out the same"),
    "verify store": Verb("towpath.cli.data_verify", "trust", "check that every object is what was written"),
    "verify data": Verb("towpath.cli.data_verify", "trust", "check that what towpath.lock names is all there"),
    "verify ledger": Verb("towpath.cli.trust", "trust", "check that the ledger is what was written"),
    "history": Verb("towpath.cli.trust", "trust", "what happened, in order; what was live at a time"),
    "doctor": Verb("towpath.cli.doctor", "admin", "what is installed, what is missing and how to mend it"),
    "ui": Verb("towpath.cli.ui", "admin", "the console's page, without the loop"),
    "config show": Verb("towpath.cli.config", "admin", "the project as it is understood, with every default"),
    "config schema": Verb("towpath.cli.config", "admin", "the JSON Schema of towpath.yaml"),
}

# verbs of two words are one line of the first screen
FAMILIES = {
    "data": "versions of data",
    "image": "the project's image",
    "ledger": "the ledger of a team",
    "verify": "check that what is kept is what was written",
    "config": "the project as it is understood; the schema of towpath.yaml",
}
GROUPS = ("daily", "live", "data", "watch", "trust", "admin")


def family_of(word: str) -> list[str]:
    """The second words of the verbs that begin with ``word``: ``show`` and ``schema`` of ``config``; none for a verb of one word."""
    return [name.partition(" ")[2] for name, verb in VERBS.items() if name.startswith(f"{word} ") and verb.group]


def screen_of(word: str) -> str:
    """What ``towpath WORD --help`` prints for a family of verbs."""
    lines = [f"  {name:<12}{VERBS[f'{word} {name}'].summary}" for name in family_of(word)]
    return "\n".join([f"towpath {word}: {FAMILIES[word]}", "", f"  towpath {word} VERB [OPTIONS]", "", *lines, "", *OPTIONS])


def first_screen(version: str) -> str:
    """What ``towpath --help`` prints."""
    lines = [f"Towpath {version}: every change to a model goes through gates, on evidence.", "", "  towpath VERB [OPTIONS]", ""]
    for group in GROUPS:
        words = dict.fromkeys(name.partition(" ")[0] for name, verb in VERBS.items() if verb.group == group)
        labels = [group, *[""] * len(words)]
        lines += [f"{label:<8}{word:<12}{_summary(word)}" for label, word in zip(labels, words, strict=False)]
    return "\n".join([*lines, "", *OPTIONS, "", "Begin:  towpath init DATA.csv --label COLUMN"])


def _summary(word: str) -> str:
    return shorten(f"{FAMILIES[word]}: {', '.join(family_of(word))}", 80, placeholder=" ...") if word in FAMILIES else VERBS[word].summary


OPTIONS = (
    "towpath VERB --help says more. For every verb:",
    "  --project DIR   the project's folder (here: the nearest towpath.yaml above)",
    "  --json          print for machines",
    "  --traceback     where an error came from",
)
