"""What a project learns, and from which rows: the keys below ``model``, ``clusters`` and ``split`` in ``towpath.yaml``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from towpath.project_fields import Duration, Part, Scalar, Share

AUTO = "auto"
Task = Literal["binary", "multiclass", "regression"]


class Label(Part, frozen=True, kw_only=True):
    """The column to predict; known ``after`` the prediction; what counts where it never arrives."""

    column: str
    after: Duration = timedelta(0)
    missing: Scalar = "exclude"

    @classmethod
    def short(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value


class Model(Part, frozen=True, kw_only=True):
    """``rows``, ``features`` and ``train`` name functions of the pipeline; ``rows`` may name a dataset.

    ``train: auto`` lets the models that come with Towpath compete.
    """

    task: Task
    rows: str
    label: Label
    features: str | None = None
    train: str | None = None
    parameters: dict[str, Scalar] = {}

    @property
    def is_auto(self) -> bool:
        """Whether the model is chosen from the portfolio."""
        return self.train == AUTO


class Clusters(Part, frozen=True, kw_only=True):
    """Which groups are there? Models that come with Towpath compete on ``rows``: a step or a dataset, without ``leave``."""

    rows: str
    leave: tuple[str, ...] = ()


class Holdout(Part, frozen=True, kw_only=True):
    """One of: the ``last`` stretch of time, a ``random`` share (by ``stratify``), or ``share`` of the ``groups`` of a column."""

    last: Duration | None = None
    random: Share | None = None
    stratify: str | None = None
    groups: str | None = None
    share: Share = 0.2

    def __post_init__(self) -> None:
        if sum(way is not None for way in (self.last, self.random, self.groups)) != 1:
            raise ValueError("a holdout is one of `last: 14d`, `random: 20%` or `groups: COLUMN`")


class Split(Part, frozen=True, kw_only=True):
    """``test`` is seen by gates only, ``valid`` by search and early stopping only.

    ``leaks``: what is done where a step before the split looks across rows at the label.
    """

    test: Holdout = Holdout(random=0.2)
    valid: Holdout | None = None
    leaks: Literal["reject", "tell", "ignore"] = "reject"
