"""The command line: parse, call, print."""

from towpath.cli.app import main

__all__ = ["main"]
