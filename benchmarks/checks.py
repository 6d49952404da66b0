"""Forty rules on 1,000,000 rows of 20 columns, in memory, beside one hand-written Polars pass, pandera and Great Expectations.

All hold the same rules against the same rows: 20 against nulls, 13 ranges, 3 sets, a regular expression, lengths, uniqueness and one
condition on two columns. Peers run in an environment of their own and time themselves; reading the data is nobody's part.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl

from benchmarks import peers
from benchmarks.frame import Row, main
from towpath.data.checks import Around, judge
from towpath.data.snapshot import Part
from towpath.digest import Digest
from towpath.project_checks import Checks
from towpath.project_reading import read
from towpath.verdict import Answer, overall

ROWS, TIMES = 1_000_000, 7
START = datetime(2013, 1, 1, tzinfo=UTC)
SETS = {"origin": ["EWR", "JFK", "LGA"], "carrier": ["AA", "B6", "DL", "UA", "WN", "US"], "size": ["S", "M", "L", "XL"]}
FLOATS, INTEGERS = [f"x{k}" for k in range(8)], [f"n{k}" for k in range(4)]
EARLIEST, LATEST = START, START + timedelta(days=400)

COLUMNS = {
    **{name: {"nulls": 0, "min": -100, "max": 100} for name in FLOATS},
    **{name: {"nulls": 0, "min": 0, "max": 999} for name in INTEGERS},
    **{name: {"nulls": 0, "values": values} for name, values in SETS.items()},
    "code": {"nulls": 0, "regex": "^[A-Z][0-9]{5}$"},
    "name": {"nulls": 0, "length": {"min": 3, "max": 12}},
    "id": {"nulls": 0, "unique": True},
    "time": {"nulls": 0, "min": EARLIEST, "max": LATEST},
    "flag": {"nulls": 0},
}
CHECKS = read(Checks, {"columns": COLUMNS, "expressions": ["x0 <= x1 + 200"]})

PEERS = """
import json, sys, time, warnings
from statistics import median
warnings.filterwarnings("ignore")
import pandas as pd, polars as pl
path, times, told = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
frame, numbers = pl.read_parquet(path), [*told["floats"], *told["integers"]]
low = {**dict.fromkeys(told["floats"], -100), **dict.fromkeys(told["integers"], 0)}
high = {**dict.fromkeys(told["floats"], 100), **dict.fromkeys(told["integers"], 999)}
first, last = (pd.Timestamp(told[end]).tz_localize(None) for end in ("earliest", "latest"))

def timed(call):
    call()
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begin)
    return median(taken)

def of_pandera(pa, both):
    columns = {name: pa.Column(checks=pa.Check.in_range(low[name], high[name])) for name in numbers}
    columns |= {name: pa.Column(checks=pa.Check.isin(values)) for name, values in told["sets"].items()}
    columns |= {"code": pa.Column(checks=pa.Check.str_matches("^[A-Z][0-9]{5}$")), "name": pa.Column(checks=pa.Check.str_length(3, 12))}
    columns |= {"id": pa.Column(unique=True), "time": pa.Column(checks=pa.Check.in_range(first, last)), "flag": pa.Column()}
    return pa.DataFrameSchema(columns, checks=pa.Check(both))

def polars_schema():
    import pandera.polars as pa
    return of_pandera(pa, lambda data: data.lazyframe.select(pl.col("x0") <= pl.col("x1") + 200))

def pandas_schema():
    import pandera.pandas as pa
    return of_pandera(pa, lambda frame: frame["x0"] <= frame["x1"] + 200)

def expectations(rows):
    import great_expectations as gx
    import great_expectations.expectations as E
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    suite = context.suites.add(gx.ExpectationSuite(name="forty"))
    asked = [E.ExpectColumnValuesToNotBeNull(column=name) for name in rows]
    asked += [E.ExpectColumnValuesToBeBetween(column=name, min_value=low[name], max_value=high[name]) for name in numbers]
    asked += [E.ExpectColumnValuesToBeBetween(column="time", min_value=first, max_value=last)]
    asked += [E.ExpectColumnValuesToBeInSet(column=name, value_set=values) for name, values in told["sets"].items()]
    asked += [E.ExpectColumnValuesToMatchRegex(column="code", regex="^[A-Z][0-9]{5}$")]
    asked += [E.ExpectColumnValueLengthsToBeBetween(column="name", min_value=3, max_value=12)]
    asked += [E.ExpectColumnValuesToBeUnique(column="id")]
    asked += [E.ExpectColumnPairValuesAToBeGreaterThanB(column_A="x1_200", column_B="x0", or_equal=True)]
    for one in asked:
        suite.add_expectation(one)
    rows["x1_200"] = rows["x1"] + 200
    batches = context.data_sources.add_pandas("p").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
    batch = batches.get_batch({"dataframe": rows})
    def validate():
        assert batch.validate(suite, result_format="BOOLEAN_ONLY").success
    return validate

rows = frame.to_pandas()
in_polars, in_pandas, suite = polars_schema(), pandas_schema(), expectations(rows.copy())
found = {
    "pandera (Polars)": timed(lambda: in_polars.validate(frame, lazy=True)),
    "pandera (pandas)": timed(lambda: in_pandas.validate(rows, lazy=True)),
    "Great Expectations": timed(suite),
}
print("FOUND", json.dumps(found))
"""


def table() -> pl.DataFrame:
    """Rows that keep to every rule."""
    random = np.random.default_rng(7)
    columns: dict[str, object] = {name: random.normal(0, 10, ROWS) for name in FLOATS}
    columns |= {name: random.integers(0, 1000, ROWS) for name in INTEGERS}
    columns |= {name: random.choice(values, ROWS) for name, values in SETS.items()}
    frame = pl.DataFrame(
        columns | {"id": random.permutation(ROWS), "flag": random.random(ROWS) < 0.5, "minute": random.integers(0, 500_000, ROWS)}
    )
    return frame.with_columns(
        code=pl.lit("N") + (pl.col("id") % 100_000).cast(pl.String).str.zfill(5),
        name=pl.lit("row ") + (pl.col("id") % 50_000).cast(pl.String),
        time=pl.lit(START.replace(tzinfo=None)) + pl.duration(minutes=pl.col("minute")),
    ).drop("minute")


def by_hand(frame: pl.DataFrame) -> None:
    """The same forty rules as one who knows Polars writes them."""
    column = pl.col
    failures = [column(name).null_count().alias(f"{name} null") for name in frame.columns]
    failures += [(~column(name).is_between(-100, 100)).sum() for name in FLOATS]
    failures += [(~column(name).is_between(0, 999)).sum() for name in INTEGERS]
    failures += [(~column(name).is_in(values)).sum() for name, values in SETS.items()]
    failures += [(~column("time").is_between(EARLIEST.replace(tzinfo=None), LATEST.replace(tzinfo=None))).sum()]
    failures += [(~column("code").str.contains("^[A-Z][0-9]{5}$")).sum()]
    failures += [(~column("name").str.len_chars().is_between(3, 12)).sum()]
    failures += [column("id").count() - column("id").n_unique()]
    failures += [(column("x0") > column("x1") + 200).sum().alias("pair")]
    assert len(failures) == 40
    assert not any(frame.lazy().select(failures).collect().row(0))


def timed(*calls: Callable[[], object]) -> list[float]:
    """The median seconds of each call, taken in turns, so that a slow minute of the machine falls on all."""
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(TIMES + 1):
        for call, seconds in zip(calls, taken, strict=True):
            begin = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - begin)
    return [median(seconds[1:]) for seconds in taken]


def of_peers(frame: pl.DataFrame) -> dict[str, float]:
    """Seconds of each peer, in an environment of its own."""
    wanted = ("pandera[polars,pandas]==0.35.0", "great-expectations==1.24.1", f"polars=={pl.__version__}", "pyarrow")
    python = peers.programs("checks", *wanted) / "python"
    told = {"sets": SETS, "floats": FLOATS, "integers": INTEGERS, "earliest": EARLIEST.isoformat(), "latest": LATEST.isoformat()}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.parquet"
        frame.write_parquet(file)
        command = [python, "-c", PEERS, file, "3", json.dumps(told)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    found = next(line for line in done.stdout.splitlines() if line.startswith("FOUND"))
    return dict(json.loads(found.removeprefix("FOUND ")))


def rows() -> list[Row]:
    """The figure, and what a thousand bad rows cost more."""
    frame = table()
    files = [Part(path="rows.parquet", digest=Digest("0"), size=1, frame=frame)]
    bad = frame.with_columns(x0=pl.when(pl.col("id") < 1000).then(1e6).otherwise("x0"))
    spoilt = [Part(path="rows.parquet", digest=Digest("0"), size=1, frame=bad)]
    around = Around(now=START)
    assert overall(judge("rows", CHECKS, files, around)) is Answer.PASS
    ours, hand, failing = timed(
        lambda: judge("rows", CHECKS, files, around), lambda: by_hand(frame), lambda: judge("rows", CHECKS, spoilt, around)
    )
    others = of_peers(frame)
    bound = f"one Polars pass by hand: {hand:.3f}"
    goal = "at most 2 times the hand-written pass; faster than pandera and Great Expectations"
    holds = ours <= 2 * hand and ours < min(others.values())
    return [
        Row(work="40 rules on 1,000,000 x 20", ours=ours, unit="s", peers=others, bound=bound, goal=goal, holds=holds),
        Row(work="the same, where 1,000 rows fail two of them", ours=failing, unit="s", bound=bound),
    ]


if __name__ == "__main__":
    sys.exit(main("checks", rows))
