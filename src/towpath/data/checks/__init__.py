"""Whether a dataset may be trained on."""

from towpath.data.checks.judge import Around, judge, of_dataset
from towpath.data.checks.rule import Faulty

__all__ = ["Around", "Faulty", "judge", "of_dataset"]
