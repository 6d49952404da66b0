"""What is to go wrong in a backtest, and when: planted faults that the loop should stop, read from a YAML file.

    - {month: 2013-06, data: flights, spoil: "project/planted.py:kilometres", mended: 3d}
    - {month: 2013-08, fault: 3%}
    - {month: 2013-10, kill: 60}

``spoil``: the file of that month arrives spoilt (when the month is over), the good one ``mended`` later. ``fault``: a
challenger released in that month fails this share of its canary requests. ``kill``: kill -9 of every process, when the
first canary from that month on has had so many challenger requests.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from towpath.errors import UsageError
from towpath.project_fields import Duration, Part, Share
from towpath.project_reading import Unreadable, read


class Plant(Part, frozen=True, kw_only=True):
    """One planted fault."""

    month: str
    data: str | None = None
    spoil: str | None = None
    mended: Duration = timedelta(days=3)
    fault: Share | None = None
    kill: int | None = None

    def __post_init__(self) -> None:
        if sum(part is not None for part in (self.spoil, self.fault, self.kill)) != 1 or (self.spoil is None) != (self.data is None):
            raise ValueError("a plant is `data` with `spoil`, or `fault`, or `kill`")
        datetime.strptime(self.month, "%Y-%m")


def plants_of(file: Path) -> tuple[Plant, ...]:
    """The plants of a file. Raises UsageError, with the item, when one is not of a known form."""
    try:
        items = YAML(typ="safe").load(file.read_text(encoding="utf-8")) or []
        return tuple(read(Plant, {**item, "month": str(item.get("month"))[:7]}) for item in items)
    except OSError as fault:
        raise UsageError(f"the drill {file} cannot be read: {fault.strerror}", mend="name a YAML file of planted faults") from None
    except (YAMLError, Unreadable, AttributeError, TypeError) as fault:
        raise UsageError(
            f"the drill {file} cannot be used: {fault}", mend="each item is `{month, data, spoil}`, `{month, fault}` or `{month, kill}`"
        ) from None


def planted(plants: Iterable[Plant], month: str) -> list[Plant]:
    """The plants of one month."""
    return [plant for plant in plants if plant.month == month]


def spoiler(root: Path, plant: Plant) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """The function that spoils a frame: ``FILE.py:NAME``, relative to ``root``."""
    file, _, name = str(plant.spoil).partition(":")
    spec = importlib.util.spec_from_file_location(f"towpath_drill_{Path(file).stem}", root / file)
    if spec is None or spec.loader is None or not (root / file).is_file():
        raise UsageError(f"the drill names {plant.spoil!r}, and there is no file {file}", mend="write it as FILE.py:FUNCTION")
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, name):
        raise UsageError(f"{file} has no function {name!r}", mend="write the plant as FILE.py:FUNCTION")
    function: Callable[[pl.DataFrame], pl.DataFrame] = getattr(module, name)
    return function
