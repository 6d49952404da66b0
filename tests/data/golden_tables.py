"""Tables of every type, made by PyArrow, and their content digests, printed as JSON. Run by itself, with whatever versions are there."""

import io
import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

from towpath.data.content import of_frame

AT = [datetime(2013, 1, 1, 5, tzinfo=UTC), None, datetime(2013, 6, 1, 12, 30, 1, 250_000, tzinfo=UTC)]
TABLES = {
    "numbers": {
        "small": pa.array([1, None, -128], pa.int8()),
        "large": pa.array([2**63 - 1, None, -(2**63)], pa.int64()),
        "unsigned": pa.array([2**64 - 1, 0, None], pa.uint64()),
        "float": pa.array([0.1, float("nan"), None], pa.float64()),
        "single": pa.array([0.1, -0.0, float("inf")], pa.float32()),
        "decimal": pa.array([Decimal("1.50"), None, Decimal("-2.25")], pa.decimal128(9, 2)),
        "true": pa.array([True, None, False]),
    },
    "texts": {
        "text": pa.array(["", None, "naïve ☕"]),
        "large": pa.array(["a", "b", "c"], pa.large_string()),
        "dictionary": pa.array(["x", None, "x"]).dictionary_encode(),
        "bytes": pa.array([b"", None, b"\0\xff"]),
    },
    "times": {
        "day": pa.array([date(2013, 1, 1), None, date(1969, 12, 31)]),
        "local": pa.array([one and one.replace(tzinfo=None) for one in AT], pa.timestamp("us")),
        "zoned": pa.array(AT, pa.timestamp("us", "America/New_York")),
        "nano": pa.array([0, None, 1], pa.timestamp("ns")),
        "clock": pa.array([time(1, 2, 3), None, time(23, 59)], pa.time64("us")),
        "long": pa.array([timedelta(seconds=1), None, timedelta(days=-1)], pa.duration("ms")),
    },
    "nested": {
        "list": pa.array([[1, 2], None, []]),
        "deep": pa.array([[["a"], []], [None], None]),
        "struct": pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}]),
        "nothing": pa.nulls(3),
    },
    "empty": {"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())},
}


def by_parquet(table: pa.Table) -> pl.DataFrame:
    kept = io.BytesIO()
    pyarrow.parquet.write_table(table, kept)
    return pl.read_parquet(io.BytesIO(kept.getvalue()))


def by_arrow(table: pa.Table) -> pl.DataFrame:
    kept = io.BytesIO()
    pyarrow.feather.write_feather(table, kept, compression="uncompressed")
    return pl.read_ipc(io.BytesIO(kept.getvalue()))


def digests() -> dict[str, str]:
    """The digest of each table; each way from PyArrow to Polars must give the same."""
    found = {}
    for name, columns in TABLES.items():
        table = pa.table(columns)
        frames = [pl.from_arrow(table), by_parquet(table), by_arrow(table)]
        ways = {of_frame(frame) for frame in frames if isinstance(frame, pl.DataFrame)}
        if len(ways) != 1:
            raise SystemExit(f"{name}: {[frame.schema for frame in frames]} give {len(ways)} digests")
        found[name] = ways.pop()
    return found


if __name__ == "__main__":
    print(json.dumps(digests()))
