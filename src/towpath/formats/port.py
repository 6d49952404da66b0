"""What a scorer is: columns in, answers out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Label = str | int | float | bool
Values = Sequence[Any] | NDArray[Any]
ALIKE = 2e-6  # of two probabilities: what the rounding of a float32 makes of equal ones


@dataclass(frozen=True, slots=True)
class Scores:
    """Answers for some rows.

    ``values`` has shape (rows, classes) with probabilities, or (rows, 1) with values where there are no ``classes``.
    """

    values: NDArray[np.floating[Any]]
    classes: tuple[Label, ...] = ()

    @property
    def judged(self) -> NDArray[np.floating[Any]]:
        """As metrics take them: probabilities as they are, values in one dimension."""
        return self.values if self.classes else self.values[:, 0]

    @property
    def labels(self) -> list[Label]:
        """The most probable class of each row, the first of equals; of a regression the values themselves.

        Probabilities that a float32 hardly tells apart are equal: the halves of a forest add up to 0.49999997 and 0.50000003.

        >>> Scores(np.array([[0.2, 0.8], [0.49999997, 0.50000003]]), ("late", "on time")).labels
        ['on time', 'late']
        """
        if not self.classes:
            return list(map(float, self.values[:, 0]))
        as_good = self.values >= self.values.max(axis=1, keepdims=True) - ALIKE
        return [self.classes[index] for index in as_good.argmax(axis=1).tolist()]


class Scorer(Protocol):
    """A model, ready to answer. It may be called from several threads at once and keeps nothing of what it is asked."""

    def score(self, columns: Mapping[str, Values]) -> Scores:
        """Answers for the rows given as equally long columns, after `features`.

        Columns that the model does not know are passed over. None is a missing value: NaN of a number, "" of a text.

        Raises:
            BadColumn: a column is missing, or a value is of the wrong type.
            Refused: the model itself does not take these values.
        """
        ...
