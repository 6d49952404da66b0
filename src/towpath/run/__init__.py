"""One run, with its events around it."""

from towpath.run.main import run

__all__ = ["run"]
