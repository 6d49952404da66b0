"""kill -9 of `data add`, `push`, `pull` and `gc` while they work: nothing is lost, and the same command again finishes."""

import os
import random
import shutil
import subprocess
from statistics import median

import pytest
from tests.killed import Moments, forks

pytestmark = pytest.mark.timeout(600)

SIZES = [*[3000] * 40, *[300_000] * 12, 5_000_000]  # of the files: enough that most of a command's time goes into them
FORTNIGHT_S = 15 * 86400
REMOTES = [pytest.param(("folder", 3), id="folder"), pytest.param(("bucket", 100), id="bucket", marks=pytest.mark.parts)]
TIMES = [3, pytest.param(100, marks=pytest.mark.parts)]


class Home:
    """A clone with a dataset that is another in each round, and who runs its commands."""

    def __init__(self, folder, forked) -> None:
        self.folder, self.forked, self._random = folder, forked, random.Random(0)

    def change(self, share=1.0) -> None:
        """Files get bytes that were never seen: all, or some."""
        for number, size in enumerate(SIZES):
            path = self.folder / "things" / f"{number}.bin"
            if not path.exists() or self._random.random() < share:
                path.write_bytes(self._random.randbytes(size))

    def holds(self, *more) -> None:
        """What is kept is what was written, and all of it."""
        self.forked.done("verify", "store", *more)
        self.forked.done("verify", "data")

    def comes_back(self) -> None:
        """The files, from what is kept."""
        before = files(self.folder / "things")
        shutil.rmtree(self.folder / "things")
        self.forked.done("data", "checkout")
        assert files(self.folder / "things") == before


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def made(folder, remote=None):
    (folder / "things").mkdir(parents=True)
    yaml = "name: small\ndata: {things: things}\nmodel: {task: binary, rows: things, label: a}\n"
    (folder / "towpath.yaml").write_text(yaml + (f"remote: {remote}\n" if remote else ""))
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)


@pytest.fixture
def place(request, tmp_path):
    """Where the remote is, how often to kill, and the environment."""
    kind, times = request.param
    if kind == "folder":
        (tmp_path / "shared").mkdir()
        return str(tmp_path / "shared"), times, dict(os.environ)
    server = request.getfixturevalue("seaweedfs")
    return server.new(), times, {**os.environ, **server.environ}


def killed(times, prepare, forked, words, after):
    """Kill a command so often while it works. ``prepare`` gives it something to do; ``after(number)`` looks at what is left."""
    lengths = []
    for _ in range(3):
        prepare()
        lengths.append(forked.run(*words))
    assert [ended.code for ended in lengths] == [0] * 3, lengths
    moments = Moments(median(ended.took_s for ended in lengths[1:]))  # the first loads what the others have
    while moments.killed < times:
        prepare()
        ended = forked.run(*words, after_s=moments.next())
        moments.learn(ended)
        after(moments.killed + moments.ended)
    assert moments.ended <= times, "most were killed"


@pytest.mark.parametrize("times", TIMES)
def test_an_addition_that_is_killed(tmp_path, times):
    made(tmp_path / "home")
    with forks(tmp_path / "home", os.environ) as forked:
        home = Home(tmp_path / "home", forked)

        def after(number):
            forked.done("verify", "data")  # what the lock names is there, be it the old or the new
            forked.done("data", "add")
            if number % 10 == 0:
                home.holds()

        killed(times, home.change, forked, ("data", "add"), after)
        home.holds()
        home.comes_back()


@pytest.mark.parametrize("place", REMOTES, indirect=True)
def test_a_push_that_is_killed(tmp_path, place):
    remote, times, environ = place
    made(tmp_path / "home", remote)
    with forks(tmp_path / "home", environ) as forked:
        home, locks = Home(tmp_path / "home", forked), []

        def prepare():
            home.change()
            forked.done("data", "add")
            locks.append((home.folder / "towpath.lock").read_text())

        def after(number):
            forked.done("data", "push")

        killed(times, prepare, forked, ("data", "push"), after)
        shutil.rmtree(home.folder / ".towpath")  # from here on, all that is left is in the remote
        home.comes_back()
        forked.done("verify", "store", "--remote")
        for text in locks:
            (home.folder / "towpath.lock").write_text(text)
            forked.done("verify", "data")


@pytest.mark.parametrize("place", REMOTES, indirect=True)
def test_a_pull_that_is_killed(tmp_path, place):
    remote, times, environ = place
    made(tmp_path / "home", remote)
    with forks(tmp_path / "home", environ) as forked:
        home = Home(tmp_path / "home", forked)
        home.change()
        forked.done("data", "add")
        forked.done("data", "push")

        def after(number):
            forked.done("verify", "store")  # of what came, all is whole
            forked.done("data", "pull")
            if number % 10 == 0:
                home.holds()

        killed(times, lambda: shutil.rmtree(home.folder / ".towpath"), forked, ("data", "pull"), after)
        home.holds()
        home.comes_back()


@pytest.mark.parametrize("times", TIMES)
def test_a_collection_that_is_killed(tmp_path, times):
    """Here and in the remote, where all is as old as what may be condemned and deleted."""
    shared = tmp_path / "shared"
    shared.mkdir()
    made(tmp_path / "home", shared)
    with forks(tmp_path / "home", os.environ) as forked:
        home = Home(tmp_path / "home", forked)
        gc = ("data", "gc", "--remote")

        def prepare():
            home.change(0.3)  # what was there before is nobody's now, and the rest lies among it
            forked.done("data", "add")
            forked.done("data", "push")
            grow_old(shared)

        def after(number):
            home.holds("--remote")
            forked.done(*gc)

        killed(times, prepare, forked, gc, after)
        home.comes_back()
        for _ in range(3):
            grow_old(shared)
            forked.done(*gc)
        assert "0 condemned" in forked.done(*gc)
        shutil.rmtree(home.folder / ".towpath")
        home.comes_back()
        home.holds("--remote")


def grow_old(folder):
    """A fortnight and a day pass in a shared folder."""
    for path in folder.rglob("*"):
        if path.is_file():
            at = path.stat().st_mtime - FORTNIGHT_S
            os.utime(path, (at, at))
