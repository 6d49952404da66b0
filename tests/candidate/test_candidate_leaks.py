"""A step before the split that looks across rows at the label is found, named, and nothing else is taken for one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.loop import little

from towpath.candidate.leaks import Alike, Leak, Untold, leak
from towpath.candidate.sides import Sides
from towpath.evaluation import Last, Random, Way
from towpath.evaluation.splits import split
from towpath.events import GatesJudged, Outcome
from towpath.verdict import Answer

Step = Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]
LATE = pl.col("delay") > 10


def flights() -> pl.DataFrame:
    """With a few gaps, and rows that are alike."""
    random = np.random.default_rng(7)
    frame = pl.DataFrame(
        {
            "hour": pl.datetime_range(pl.datetime(2013, 1, 1), pl.datetime(2013, 2, 11), interval="1h", eager=True)[:960],
            "carrier": random.choice([*"abcdef"], 960),
            "tail": random.integers(0, 90, 960),
            "miles": random.normal(1000, 300, 960).round(1),
            "delay": random.normal(0, 20, 960).round(),
        }
    )
    return pl.concat([frame, frame[:40]]).with_columns(miles=pl.when(pl.col("tail") != 4).then("miles"))


def weather() -> pl.DataFrame:
    hours = pl.datetime_range(pl.datetime(2013, 1, 1), pl.datetime(2013, 2, 11), interval="1h", eager=True)
    return pl.DataFrame({"hour": hours, "wind": np.random.default_rng(8).normal(size=len(hours))})


def plain(flights: pl.DataFrame, weather: pl.DataFrame) -> pl.DataFrame:
    return flights.join(weather, on="hour", how="left").with_columns(late=LATE).drop("delay", "tail")


def rates(flights: pl.DataFrame, weather: pl.DataFrame) -> pl.DataFrame:
    shares = flights.group_by("carrier").agg(rate=LATE.mean())
    return plain(flights, weather).join(shares, on="carrier", how="left")


def counts(flights: pl.DataFrame, weather: pl.DataFrame) -> pl.DataFrame:
    return plain(flights, weather).join(flights.group_by("carrier").len("flights"), on="carrier", how="left")


def planes(flights: pl.DataFrame, weather: pl.DataFrame) -> pl.DataFrame:
    """Counts by a column that the rows do not keep: no label is in it."""
    return flights.join(weather, on="hour").with_columns(late=LATE, uses=pl.len().over("tail")).drop("delay", "tail")


def found(step: Step, way: Way) -> Leak | None:
    datasets = {"flights": flights(), "weather": weather()}
    seen, test = split(step(**datasets), way, seed=3)
    return leak(Sides(seen, None, test), datasets, "late", lambda others: step(**{**datasets, **others}))


RANDOM, LAST = Random(0.2), Last("hour", timedelta(days=5))


@pytest.mark.parametrize("way", [RANDOM, LAST], ids=["random", "last"])
def test_rows_made_each_by_itself_leak_nothing(way: Way) -> None:
    assert found(plain, way) is None


@pytest.mark.parametrize("way", [RANDOM, LAST], ids=["random", "last"])
def test_a_share_of_the_label_is_found_with_what_it_is_made_of(way: Way) -> None:
    one = found(rates, way)
    assert one
    assert (one.columns, one.through) == (("rate",), ("flights.delay",))
    assert one.rows > 500


@pytest.mark.parametrize("step", [counts, planes])
def test_counted_rows_are_no_leak_of_labels(step: Step) -> None:
    one = found(step, RANDOM)
    assert one
    assert one.through == ()


def test_the_past_alone_may_be_looked_at() -> None:
    def so_far(flights: pl.DataFrame, weather: pl.DataFrame) -> pl.DataFrame:
        ordered = flights.unique(maintain_order=True).sort("hour")
        return ordered.with_columns(late=LATE, rate=LATE.cast(pl.Int64).cum_sum().shift(1)).drop("delay", "tail")

    assert found(so_far, LAST) is None
    one = found(so_far, RANDOM)
    assert one
    assert one.through == ("flights.delay",)


def test_rows_without_an_origin_cannot_be_told() -> None:
    def shuffled(flights: pl.DataFrame, weather: pl.DataFrame) -> pl.DataFrame:
        return plain(flights, weather).select(x=pl.col("miles") * 2, late="late")

    with pytest.raises(Untold, match="no column of the rows tells"):
        found(shuffled, RANDOM)


def test_of_data_whose_rows_are_all_alike_it_cannot_be_told() -> None:
    rides = pl.DataFrame({"hour": [n % 6 for n in range(60)], "late": [n % 2 == 0 for n in range(60)]})
    seen, test = split(rides, RANDOM, seed=3)
    with pytest.raises(Alike):
        leak(Sides(seen, None, test), {"rides": rides}, "late", lambda others: others["rides"])


def test_rows_that_are_others_without_the_test_rows_cannot_be_told() -> None:
    def moved(flights: pl.DataFrame, weather: pl.DataFrame) -> pl.DataFrame:
        return (
            plain(flights, weather) if flights.height == 1000 else plain(flights, weather).with_columns(pl.col("hour").dt.offset_by("9y"))
        )

    with pytest.raises(Untold, match="no row came out that had come out before"):
        found(moved, RANDOM)


LEAKING = little.PIPELINE.replace(
    'return rides.drop_nulls("distance")',
    'return rides.drop_nulls("distance").with_columns(rate=pl.col("late").cast(pl.Float64).mean().over("zone"))',
)


def test_a_run_is_rejected_with_the_columns_name_and_may_be_told_to_go_on(tmp_path: Path) -> None:
    root = little.make(tmp_path / "little", pipeline=LEAKING)
    ended = little.ran(root)
    assert ended.outcome is Outcome.REJECTED
    assert "rate of" in ended.because
    assert "rides.late" in ended.because
    little.commit(root, towpath=little.YAML.replace("{random: 30%}", "{random: 30%}, leaks: tell"))
    assert little.ran(root).outcome is Outcome.REGISTERED


UNTOLD = {
    "no column of the rows tells": 'return rides.select(pl.col("distance", "hour").cast(pl.Float32), "late").drop_nulls()',
    "step 'rows' raised ValueError: too few": """if rides.height < 1900:
        raise ValueError("too few")
    return rides.drop_nulls("distance")""",
}


@pytest.mark.parametrize("why", UNTOLD)
def test_a_run_of_which_it_cannot_be_told_is_held_until_its_author_says_so(tmp_path: Path, why: str) -> None:
    root = little.make(tmp_path / "little", pipeline=little.PIPELINE.replace('return rides.drop_nulls("distance")', UNTOLD[why]))
    ended = little.ran(root)
    assert ended.outcome is Outcome.HELD
    assert why in ended.because
    assert "`leaks: ignore`" in ended.because
    judged = [one for event in little.events(root, GatesJudged) for one in event.verdicts if one.gate == "no leak"]
    assert [one.answer for one in judged] == [Answer.INCONCLUSIVE]
    little.commit(root, towpath=little.YAML.replace("{random: 30%}", "{random: 30%}, leaks: ignore"))
    assert little.ran(root).outcome is Outcome.REGISTERED
