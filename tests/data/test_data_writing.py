"""Files that get their name when they are whole."""

from pathlib import Path

import pytest

from towpath.data.writing import whole, write
from towpath.errors import Unavailable


def cut_off(file: Path) -> None:
    with whole(file) as half:
        half.write_text("ha")
        raise KeyboardInterrupt


def test_what_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    write(tmp_path / "a.dvc", "before")
    with pytest.raises(KeyboardInterrupt):
        cut_off(tmp_path / "a.dvc")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.dvc", "before")]
    write(tmp_path / "a.dvc", "after")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.dvc", "after")]


def test_nobody_sees_it_before_it_is_whole(tmp_path: Path) -> None:
    with whole(tmp_path / "rows.parquet") as half:
        half.write_text("rows")
        assert not (tmp_path / "rows.parquet").exists()
    assert (tmp_path / "rows.parquet").read_text() == "rows"


def test_where_nothing_can_be_written_the_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"nowhere/a\.dvc cannot be written: No such file"):
        write(tmp_path / "nowhere" / "a.dvc", "text")
