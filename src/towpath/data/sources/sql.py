"""What a query gives, in the order in which it gives it, as one Parquet file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from towpath.data.sources.databases import Database
from towpath.data.sources.port import Look, Origin, marked
from towpath.data.walk import Found, Marks, Told, marks_of
from towpath.digest import of_bytes
from towpath.errors import UsageError
from towpath.project import Dataset

FILE = "query.parquet"


class Query:
    """Equal rows in an equal order give equal bytes, so a query that ends with ORDER BY gives the same snapshot while its rows stay.

    Whether it must be asked again is told by ``watermark``, a query for one value that changes with the rows; of a database in a file,
    by the file. Without either it is asked each time.
    """

    def __init__(self, dataset: Dataset, root: Path) -> None:
        self._database = Database(dataset.url or "", root)
        self._query, self._watermark = dataset.sql or "", dataset.watermark

    def look(self) -> Look:
        origin: Origin = {"sql": self._query, "url": self._database.shown}
        name = f"{self._database.shown}#{of_bytes(self._query.encode())[:16]}"
        if self._watermark:
            origin["watermark"] = self._newest(self._watermark)
        return Look([Found(name, FILE, self._marks(origin.get("watermark")))], origin)

    def _newest(self, query: str) -> str:
        answer = self._database.ask(query)
        if answer.shape != (1, 1):
            raise UsageError(f"the watermark gives {answer.height} rows of {answer.width} columns", mend="let it give one value")
        return str(answer.item())

    def _marks(self, watermark: str | int | None) -> Marks:
        if watermark is not None:
            return marked(f"{self._query} {watermark}", 0)
        file = self._database.file
        if file is None or not file.is_file():
            return Marks(0, -1, 0, 0)
        beside = [Path(f"{file}{ending}") for ending in ("-wal", ".wal")]  # where SQLite and DuckDB put what is new
        return marked(f"{self._query} {[marks_of(str(path)) for path in (file, *beside) if path.exists()]}", 0)

    def read(self, file: Found, take: Callable[[str], Told]) -> tuple[Told, Marks]:
        rows = self._database.ask(self._query)
        with tempfile.TemporaryDirectory(prefix="towpath-") as folder:
            path = Path(folder, FILE)
            rows.write_parquet(path)
            return take(str(path)), file.marks
