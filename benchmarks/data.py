"""Versions of data: adding, asking, checking out, beside DVC and git-lfs on the same files.

Every figure is of a whole command. Each addition begins with a new home in a new folder: on ext4, files made right after many others
were removed take many times longer, which would be charged to whoever comes later. Just before, its small files are read, so that
all of them are in memory for every tool, or the system is told to forget them.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from benchmarks import checks, ledger, many, peers, pushes
from benchmarks.frame import Row, main
from benchmarks.places import LARGE_BYTES, TOWPATH, Place, fill, flushed, in_memory, out_of_memory, say, stored, timed
from towpath.digest import of_file

SMALL, SMALL_BYTES = 20_000, 10_240
CHANGES = 5
TIMES = 3


def rows() -> Iterator[Row]:
    """Measured in a folder beside this one, so that the disk is the one that a project would lie on."""
    dvc = peers.programs("dvc", "dvc==3.67.1") / "dvc"
    with tempfile.TemporaryDirectory(dir=Path.cwd() / "build") as folder:
        place = Place(Path(folder), dvc)
        yield from _small(place)
        yield from _large(place)
        yield from pushes.rows(place)
        yield from many.rows(place)
    yield from checks.rows()
    yield from ledger.rows_of_many()


def _small(place: Place) -> Iterator[Row]:
    original = place.folder / "small"
    fill(original, SMALL, SMALL_BYTES)
    lfs = shutil.which("git-lfs") is not None
    bound = _alone(original, in_memory)
    us, ours = _first([*TOWPATH, "data", "add"], lambda: place.new(original))
    theirs, copied = _first([place.dvc, "add", "--quiet", "things"], lambda: place.with_dvc(original, "copy"))
    found, in_lfs = {"dvc copy": theirs}, None
    if lfs:
        found["git-lfs"], in_lfs = _first(["git", "add", "things"], lambda: place.with_lfs(original))
    yield _times(f"add {SMALL:,} files of 10 KB, first time, copied", us, found, 3, bound, theirs)

    us_linked, _ = _first([*TOWPATH, "data", "add", "--link"], lambda: place.new(original))
    their_linked, _ = _first([place.dvc, "add", "--quiet", "things"], lambda: place.with_dvc(original, "hardlink"))
    yield _times(f"add {SMALL:,} files of 10 KB, linked", us_linked, {"dvc hardlink": their_linked}, 3, bound, their_linked)

    us_cold, _ = _first([*TOWPATH, "data", "add"], lambda: place.new(original), out_of_memory)
    their_cold, _ = _first([place.dvc, "add", "--quiet", "things"], lambda: place.with_dvc(original, "copy"), out_of_memory)
    bound = _alone(original, out_of_memory)
    yield _times(f"add {SMALL:,} files of 10 KB that only the disk has, copied", us_cold, {"dvc copy": their_cold}, 3, bound, their_cold)

    say([*TOWPATH, "data", "status"], ours)  # marks of files that were too young to be trusted are learned
    status = timed([*TOWPATH, "data", "status"], ours, 7)
    their_status = timed([place.dvc, "status", "--quiet"], copied, 3)
    yield Row(
        work=f"status of {SMALL:,} files, nothing changed",
        ours=status,
        unit="s",
        peers={"dvc copy": their_status},
        bound=f"`towpath --help`: {timed([*TOWPATH, '--help'], ours, 5):.2f} s",
        goal="<= .25 s, 4 times faster than DVC",
        holds=status <= 0.25 and their_status >= 4 * status,
    )
    yield from _one_changed(place, ours, copied, in_lfs)
    yield from _check_out_small(place, ours, copied)


def _first(command: list[str], make: Callable[[], Path], prepare: Callable[[Path], None] = in_memory) -> tuple[float, Path]:
    """The median time of a command that nothing came before, and the last of the homes that it was said in."""
    took = []
    for _ in range(TIMES):
        home = make()
        prepare(home / "things")
        took.append(timed(command, home))
    return median(took), home


def _one_changed(place: Place, ours: Path, copied: Path, in_lfs: Path | None) -> Iterator[Row]:
    one = sorted(path for path in (ours / "things").rglob("*") if path.is_file())[SMALL // 2].relative_to(ours)
    before, theirs_before = stored(ours / ".towpath/store"), stored(copied / ".dvc/cache")
    us = _changed(ours, one, [*TOWPATH, "data", "add"])
    grew = (stored(ours / ".towpath/store") - before) / CHANGES / 1e3
    theirs = _changed(copied, one, [place.dvc, "add", "--quiet", "things"])
    they_grew = (stored(copied / ".dvc/cache") - theirs_before) / CHANGES / 1e3
    found = {"dvc copy": theirs}
    if in_lfs:
        found["git-lfs"] = _changed(in_lfs, one, ["git", "add", "things"])
    yield _times(f"add after one of {SMALL:,} files changed", us, found, 6, "", theirs)
    yield Row(
        work=f"bytes kept for one of {SMALL:,} files", ours=grew, unit="kB", peers={"dvc": they_grew}, goal="<= 20 kB", holds=grew <= 20
    )


def _changed(home: Path, one: Path, command: list[str]) -> float:
    """The median time that a command takes after one file changed, each time to something else."""
    took = []
    for number in range(CHANGES):
        (home / one).unlink()
        (home / one).write_bytes(b"another %d" % number)
        took.append(timed(command, home))
    return median(took)


def _check_out_small(place: Place, ours: Path, copied: Path) -> Iterator[Row]:
    for home in (ours, copied):
        shutil.rmtree(home / "things")
    us, theirs = timed([*TOWPATH, "data", "checkout"], ours), timed([place.dvc, "checkout", "--quiet"], copied)
    yield Row(
        work=f"check out {SMALL:,} files, copied", ours=us, unit="s", peers={"dvc copy": theirs}, goal="faster than DVC", holds=us < theirs
    )


def _large(place: Place) -> Iterator[Row]:
    original = place.folder / "large"
    _random_file(original, LARGE_BYTES)
    size = f"{LARGE_BYTES / (1 << 30):g} GB"
    ours, copied = place.new(original), place.with_dvc(original, "copy")
    copying = _copied(original, place.folder / "copy")
    (place.folder / "copy").unlink()
    us, theirs = timed([*TOWPATH, "data", "add"], ours), timed([place.dvc, "add", "--quiet", "things"], copied)
    found = {"dvc copy": theirs}
    if shutil.which("git-lfs"):
        in_lfs = place.with_lfs(original)
        found["git-lfs"] = timed(["git", "add", "things"], in_lfs)
        shutil.rmtree(in_lfs)
    yield _times(f"add a file of {size}", us, found, 3, f"cp: {copying:.2f} s", theirs)
    for home in (ours, copied):
        (home / "things").unlink()
    us, theirs = timed([*TOWPATH, "data", "checkout"], ours), timed([place.dvc, "checkout", "--quiet"], copied)
    yield Row(
        work=f"check out a file of {size}, copied",
        ours=us,
        unit="s",
        peers={"dvc copy": theirs},
        bound=f"cp: {copying:.2f} s",
        goal="<= 2.5 times cp",
        holds=us <= 2.5 * copying,
    )
    say([*TOWPATH, "data", "push"], ours)  # only what can be fetched again may be linked
    linked = median(_linked(ours) for _ in range(TIMES))
    for folder in (ours, ours.with_name(f"{ours.name}-remote"), copied):  # what comes next needs the room
        shutil.rmtree(folder)
    original.unlink()
    yield Row(work=f"check out a file of {size}, linked", ours=linked, unit="s", goal="<= .2 s", holds=linked <= 0.2)


def _linked(ours: Path) -> float:
    (ours / "things").unlink()
    return timed([*TOWPATH, "data", "checkout", "--link"], ours)


def _times(work: str, ours: float, found: dict[str, float], times: float, bound: str, against: float) -> Row:
    goal = f"{times:g} times faster than {next(iter(found))}"
    return Row(work=work, ours=ours, unit="s", peers=found, bound=bound, goal=goal, holds=against >= times * ours)


def _random_file(path: Path, size: int) -> None:
    made = random.Random(0)
    with path.open("wb") as file:
        for _ in range(size >> 24):
            file.write(made.randbytes(1 << 24))


def _alone(folder: Path, prepare: Callable[[Path], None]) -> str:
    """The floor: reading and hashing one file after another, nothing kept."""
    prepare(folder)
    begin = time.perf_counter()
    for path in folder.rglob("*.bin"):
        of_file(path)
    return f"read and hash alone: {time.perf_counter() - begin:.2f} s"


def _copied(source: Path, target: Path) -> float:
    flushed()
    return say(["cp", str(source), str(target)], source.parent)


if __name__ == "__main__":
    raise SystemExit(main("data", rows))
