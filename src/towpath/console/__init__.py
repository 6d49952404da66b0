"""The web pages: what is live, what is being released, what ran, what was found, what happened."""

from towpath.console.folded import view_of
from towpath.console.view import View

__all__ = ["View", "view_of"]
