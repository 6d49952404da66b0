"""The command line: parse, call, print."""

from towpath.cli.app import command, main

__all__ = ["command", "main"]
