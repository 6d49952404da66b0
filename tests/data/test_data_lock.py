"""towpath.lock: no line is lost, however many write at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from towpath.data.lock import LOCK, Locked, read, update
from towpath.digest import of_bytes


def test_who_writes_at_once_keeps_each_others_lines(tmp_path: Path) -> None:
    lines = {f"dataset{n:02}": Locked(of_bytes(bytes([n])), n) for n in range(40)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: update(tmp_path, {name: lines[name]}), lines))
    assert read(tmp_path) == lines
    assert [line.split()[0] for line in (tmp_path / LOCK).read_text().splitlines()] == sorted(lines)
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_what_is_as_it_was_is_not_written(tmp_path: Path) -> None:
    update(tmp_path, {})
    assert not (tmp_path / LOCK).exists()
    update(tmp_path, {"loads": Locked(of_bytes(b""), -1)})
    before = (tmp_path / LOCK).stat()
    update(tmp_path, {"loads": Locked(of_bytes(b""), -1)})
    assert (tmp_path / LOCK).stat().st_ino == before.st_ino
