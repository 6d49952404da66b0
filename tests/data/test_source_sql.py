"""Queries as sources: PostgreSQL, SQLite and DuckDB through ADBC; asked again when something tells, and no word about a password."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from towpath.data.compare import compare, here
from towpath.data.index import Index
from towpath.data.snapshot import Taken, load, see, take
from towpath.errors import TowpathError, Unavailable, UsageError
from towpath.project import Dataset
from towpath.store.memory import MemoryStore

QUERY = "SELECT id, km, zone FROM rides ORDER BY id"
RIDES = pl.DataFrame(
    {"id": [1, 2, 3], "km": [1.5, None, 2.0], "zone": ["a", "ü", None]}, schema={"id": pl.Int64, "km": pl.Float64, "zone": pl.String}
)
MAKE = [
    "CREATE TABLE rides (id BIGINT, km DOUBLE PRECISION, zone TEXT)",
    "INSERT INTO rides VALUES (3, 2.0, NULL), (1, 1.5, 'a'), (2, NULL, 'ü')",
]

Write = Callable[[str], object]


def _sqlite(root: Path) -> Write:
    def write(statement: str) -> None:
        connection = sqlite3.connect(root / "rides.db")
        with connection:
            connection.execute(statement)
        connection.close()

    return write


def _duckdb(root: Path) -> Write:
    def write(statement: str) -> None:
        with duckdb.connect(root / "rides.db") as connection:
            connection.execute(statement)

    return write


@pytest.fixture(params=["sqlite", "duckdb", pytest.param("postgresql", marks=pytest.mark.parts)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Write]:
    """The URL of a database with some rides, and how to write to it."""
    kind = request.param
    if kind == "postgresql":
        server = request.getfixturevalue("postgres")
        name = server.new()
        url, write = server.url(name), lambda statement: server.execute(statement, name)
    else:
        url, write = f"{kind}:///rides.db", {"sqlite": _sqlite, "duckdb": _duckdb}[kind](tmp_path)
    for statement in MAKE:
        write(statement)
    return url, write


def taken(dataset: Dataset, root: Path, store: MemoryStore, index: Index | None = None) -> Taken:
    seen = see(dataset, root, store, index)
    return take("rides", seen.parts, store, kind=seen.kind, origin=seen.origin)


def test_rows_come_as_they_are_and_the_query_is_remembered(tmp_path: Path, database: tuple[str, Write]) -> None:
    url, _ = database
    store = MemoryStore()
    one = taken(Dataset(sql=QUERY, url=url), tmp_path, store)
    assert_frame_equal(one.frame, RIDES)
    assert one.snapshot.source["sql"] == QUERY
    assert "tow" not in str(one.snapshot.source["url"]).replace("towpath-", "")
    assert taken(Dataset(sql=QUERY, url=url), tmp_path, store).digest == one.digest
    assert_frame_equal(load(store, one.digest), RIDES)


def test_what_tells_of_no_change_saves_the_query(tmp_path: Path, database: tuple[str, Write]) -> None:
    url, write = database
    dataset = Dataset(sql=QUERY, url=url, watermark="SELECT max(id) FROM rides")
    store, index = MemoryStore(), Index(tmp_path / "index")
    first = taken(dataset, tmp_path, store, index)
    assert first.snapshot.source["watermark"] == "3"
    assert first.snapshot.size == len(store.get(see(dataset, tmp_path, store, index).parts[0].digest))
    write("UPDATE rides SET km = 7 WHERE id = 1")
    assert taken(dataset, tmp_path, store, index).digest == first.digest, "the watermark did not change"
    write("INSERT INTO rides VALUES (4, 4, 'b')")
    assert taken(dataset, tmp_path, store, index).frame["km"].to_list() == [7, None, 2, 4]


def test_without_a_watermark_every_change_shows(tmp_path: Path, database: tuple[str, Write]) -> None:
    url, write = database
    dataset, index = Dataset(sql=QUERY, url=url), Index(tmp_path / "index")
    before = here(dataset, tmp_path, index)
    assert compare(here(dataset, tmp_path, index), before).is_same
    write("UPDATE rides SET km = 7 WHERE id = 1")
    assert compare(here(dataset, tmp_path, index), before).changed == ["query.parquet"]


@pytest.mark.parametrize(
    ("query", "watermark", "words"),
    [
        ("SELECT nothing FROM rides", None, "nothing"),
        ("SELEC id", None, "refused"),
        ("SELECT id AS a, km AS a FROM rides", None, "a"),
        ("DELETE FROM rides", None, "read"),
        (QUERY, "SELECT id FROM rides", "gives 3 rows of 1 columns"),
    ],
)
def test_a_query_with_a_fault_is_told_and_nothing_is_written(
    tmp_path: Path, database: tuple[str, Write], query: str, watermark: str | None, words: str
) -> None:
    url, _ = database
    with pytest.raises(UsageError, match=words) as caught:
        see(Dataset(sql=query, url=url, watermark=watermark), tmp_path, MemoryStore())
    assert "\n" not in caught.value.what
    assert taken(Dataset(sql=QUERY, url=url), tmp_path, MemoryStore()).snapshot.rows == 3


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_file_that_is_no_database_or_not_there_is_told(tmp_path: Path, kind: str) -> None:
    with pytest.raises(UsageError, match="there is no database file"):
        see(Dataset(sql=QUERY, url=f"{kind}:///nowhere.db"), tmp_path, MemoryStore())
    assert not (tmp_path / "nowhere.db").exists()
    (tmp_path / "text.db").write_text("not at all a database " * 100)
    with pytest.raises(TowpathError, match=r"text\.db"):
        see(Dataset(sql=QUERY, url=f"{kind}:///text.db"), tmp_path, MemoryStore())


def test_another_database_is_named_with_those_that_can_be_asked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="mysql://host/rides is no database") as caught:
        see(Dataset(sql=QUERY, url="mysql://me:sesame@host/rides"), tmp_path, MemoryStore())
    assert "duckdb" in caught.value.mend


@pytest.mark.parts
def test_types_of_postgresql_that_others_lack(tmp_path: Path, postgres) -> None:
    name = postgres.new()
    query = "SELECT 2.50::numeric AS price, '{}'::jsonb AS note, now() AS at, '2024-01-01'::date AS day"
    frame = taken(Dataset(sql=query, url=postgres.url(name)), tmp_path, MemoryStore()).frame
    assert frame["price"].to_list() == [2.5]
    assert frame.schema["note"] == pl.String
    assert frame.schema["at"] == pl.Datetime("us", "UTC")


@pytest.mark.parts
def test_refusals_of_postgresql_never_show_the_password(tmp_path: Path, postgres) -> None:
    wrong, nowhere = postgres.url(password="open sesame"), postgres.url("nowhere")
    for url, kind in ((wrong, UsageError), (nowhere, UsageError), (postgres.url(port=1), Unavailable)):
        with pytest.raises(kind) as caught:
            see(Dataset(sql=QUERY, url=url), tmp_path, MemoryStore())
        assert not any(secret in str(caught.value) for secret in ("sesame", "tow the", "tow%20"))
        assert "127.0.0.1" in str(caught.value)
