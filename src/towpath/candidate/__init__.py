"""From labelled rows to a judged candidate, as a library call without a ledger: sides, parameters, training, package, gates."""

from towpath.candidate.judging import Judged, Rival, judged, score_of, unconverted
from towpath.candidate.recipe import recipe
from towpath.candidate.sides import Sides, for_training, sides
from towpath.candidate.source import Source
from towpath.candidate.training import Shop, parameters, train

__all__ = [
    "Judged",
    "Rival",
    "Shop",
    "Sides",
    "Source",
    "for_training",
    "judged",
    "parameters",
    "recipe",
    "score_of",
    "sides",
    "train",
    "unconverted",
]
