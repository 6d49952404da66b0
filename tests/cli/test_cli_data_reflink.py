"""Where a file system shares blocks between files (XFS, Btrfs), data is added and checked out without being written once more."""

import os
import shutil
import subprocess

import pytest

from towpath.digest import of_bytes
from towpath.store.local import LocalStore

pytestmark = pytest.mark.parts

SIZE = 40 << 20
MAKERS = {"xfs": ["mkfs.xfs", "-q", "-m", "reflink=1"], "btrfs": ["mkfs.btrfs", "-q"]}
PACKAGES = {"xfs": "xfsprogs", "btrfs": "btrfs-progs"}


@pytest.fixture(params=MAKERS)
def disk(request, tmp_path):
    """A file system of that kind, in a file."""
    kind, folder, image = request.param, tmp_path / "disk", tmp_path / "image"
    if os.geteuid() != 0:
        pytest.skip("only root mounts a file system")
    if shutil.which(MAKERS[kind][0]) is None:
        pytest.skip(f"{MAKERS[kind][0]} is not installed: apt-get install {PACKAGES[kind]}")
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(600 << 20)
    subprocess.run([*MAKERS[kind], image], check=True, capture_output=True)
    mounted = subprocess.run(["mount", "-o", "loop", "-t", kind, image, folder], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"this machine mounts no {kind}: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def used(disk):
    """Bytes that are in use."""
    os.sync()
    room = os.statvfs(disk)
    return (room.f_blocks - room.f_bfree) * room.f_frsize


def test_what_is_added_and_checked_out_shares_its_blocks_and_not_its_fate(run, disk):
    home, file = disk / "home", disk / "home/things/large.bin"
    file.parent.mkdir(parents=True)
    file.write_bytes(data := os.urandom(SIZE))
    (home / "towpath.yaml").write_text("name: small\ndata: {things: things}\nmodel: {task: binary, rows: things, label: a}\n")
    subprocess.run(["git", "init", "-q"], cwd=home, check=True)
    before = used(disk)
    assert run("data", "add", cwd=home).code == 0
    assert used(disk) - before < SIZE / 20, "no second copy"
    kept = LocalStore(home / ".towpath/store").path(of_bytes(data))
    assert kept.stat().st_ino != file.stat().st_ino
    assert file.stat().st_mode & 0o200, "the file is still its owner's to write"

    with file.open("r+b") as opened:
        opened.write(b"changed")
    assert kept.read_bytes() == data
    assert run("verify", "store", cwd=home).code == 0

    file.unlink()
    assert run("data", "checkout", cwd=home).code == 0
    assert file.read_bytes() == data
    assert used(disk) - before < SIZE / 20
    with file.open("r+b") as opened:
        opened.write(b"changed")
    assert kept.read_bytes() == data
