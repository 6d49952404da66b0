"""Additions and collections that meet each other, a full disk or files that change: nothing is lost, all goes on."""

import os
import random
import shutil
import subprocess
import sys
import threading
import time

import pytest

from towpath.cli import main
from towpath.data.sources import known

COMMAND = [sys.executable, "-m", "towpath", "data"]
FILES = 400


def fill(folder, files=FILES, size=20_000):
    made = random.Random(0)
    for number in range(files):
        path = folder / f"{number % 9}" / f"{number}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made.randbytes(size if number % 50 else 2_000_000))


def project(folder):
    folder.mkdir(exist_ok=True)
    (folder / "towpath.yaml").write_text("name: small\ndata: {things: things}\nmodel: {task: binary, rows: things, label: a}\n")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


def say(folder, *words):
    return subprocess.run([*COMMAND, *words], cwd=folder, capture_output=True, text=True, check=False)


def verify(folder):
    done = subprocess.run([*COMMAND[:-1], "verify", "store"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def goes_on(folder, original):
    """After whatever happened: add, lose the files, get them back."""
    assert say(folder, "add").returncode == 0
    verify(folder)
    shutil.rmtree(folder / "things")
    done = say(folder, "checkout")
    assert done.returncode == 0, done.stderr
    assert subprocess.run(["diff", "-r", original, folder / "things"], check=False).returncode == 0


@pytest.mark.slow
def test_two_additions_and_a_collection_at_once(tmp_path):
    home = project(tmp_path / "home")
    fill(home / "things")
    shutil.copytree(home / "things", tmp_path / "original")
    all_at_once = [subprocess.Popen([*COMMAND, verb], cwd=home, stderr=subprocess.PIPE, text=True) for verb in ("add", "add", "gc")]
    told = [process.communicate()[1] for process in all_at_once]
    for process, text in zip(all_at_once, told, strict=True):
        assert process.returncode == 0 or "try again" in text, text
    goes_on(home, tmp_path / "original")


@pytest.mark.parts
@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system is mounted by root only")
def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", small], check=True)
    try:
        home = project(small / "home")
        fill(home / "things", files=60)
        (small / "ballast").write_bytes(bytes(max(0, shutil.disk_usage(small).free - 1_000_000)))
        done = say(home, "add")
        assert done.returncode == 1
        assert "No space left" in done.stderr
        assert "Traceback" not in done.stderr
        (small / "ballast").unlink()
        shutil.copytree(home / "things", tmp_path / "original")
        verify(home)
        subprocess.run(["mount", "-o", "remount,size=40m", small], check=True)
        goes_on(home, tmp_path / "original")
    finally:
        subprocess.run(["umount", "-l", small], check=True)


def test_a_file_that_changes_while_it_is_read_is_told(tmp_path, capfd, monkeypatch):
    home = project(tmp_path / "home")
    (home / "things").mkdir()
    file = home / "things" / "growing.bin"
    file.write_bytes(bytes(30_000_000))
    ended = threading.Event()

    def grow():
        while not ended.is_set():
            with file.open("ab") as opened:
                opened.write(b"more")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        monkeypatch.chdir(home)
        assert main(["data", "add"]) == 1
    finally:
        ended.set()
        writer.join()
    said = capfd.readouterr().err
    assert "changes while it is read" in said
    assert main(["data", "add"]) == 0


def test_an_unreadable_file_is_named_and_the_same_command_goes_on(tmp_path):
    home = project(tmp_path / "home")
    (home / "things").mkdir()
    secret = home / "things/secret"
    secret.write_bytes(b"x")
    secret.chmod(0)
    command = [*without_roots_rights(), *COMMAND, "add"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "things/secret cannot be read: Permission denied" in done.stderr
    assert not (home / "towpath.lock").exists()
    secret.chmod(0o600)
    assert subprocess.run(command, cwd=home, check=False).returncode == 0


def without_roots_rights() -> list[str]:
    """Root reads everything; without these rights it is a user like any other."""
    rights = "-dac_override,-dac_read_search"
    return ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}"] if os.geteuid() == 0 else []


@pytest.mark.parametrize("way", ["add", "pull"])
def test_a_damaged_store_is_mended_and_its_objects_are_put_again(run, tmp_path, way):
    home, remote = project(tmp_path / "home"), tmp_path / "remote"
    remote.mkdir()
    with (home / "towpath.yaml").open("a") as file:
        file.write(f"remote: {remote}\n")
    fill(home / "things", files=60)
    for words in (("add",), ("push",)):
        assert run("data", *words, cwd=home).code == 0
    (pack,) = (home / ".towpath/store/packs").iterdir()
    pack.chmod(0o644)
    os.truncate(pack, pack.stat().st_size - 3)
    large = max((home / ".towpath/store/objects").glob("*/*"), key=lambda path: path.stat().st_size)
    large.chmod(0o644)
    large.write_bytes(b"other bytes")
    assert run("data", "status", cwd=home).out.startswith("things  as locked")
    said = run("verify", "store", cwd=home)
    assert (said.code, "2 faults" in said.out, pack.name in said.out, "--mend" in said.out) == (1, True, True, True)
    assert (run("data", "gc", cwd=home).code, run("verify", "store", "--mend", cwd=home).code) == (1, 0)
    assert run("data", way, cwd=home).code == 0
    for what in ("store", "data"):
        said = run("verify", what, cwd=home)
        assert said.code == 0, said.out


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_file_that_became_a_folder_and_the_reverse_are_checked_out(run, tmp_path):
    home = project(tmp_path / "home")
    fill(home / "things", files=10)
    (home / "things/one").write_text("a file")
    (home / "things/two/in").mkdir(parents=True)
    (home / "things/two/in/it").write_text("in a folder")
    assert run("data", "add", cwd=home).code == 0
    was = tree(home / "things")
    (home / "things/one").unlink()
    (home / "things/one").mkdir()
    (home / "things/one/in it").write_text("kept nowhere else")
    shutil.rmtree(home / "things/two")
    (home / "things/two").write_text("a file")
    refused = run("data", "checkout", cwd=home)
    assert (refused.code, "would be lost" in refused.err) == (1, True)
    assert (home / "things/one/in it").exists()
    said = run("data", "checkout", "--force", cwd=home)
    assert said.code == 0, said.err
    assert tree(home / "things") == was


def test_what_is_no_part_of_the_dataset_is_in_the_way_and_stays(run, tmp_path):
    home = project(tmp_path / "home")
    (home / "towpath.yaml").write_text("name: small\ndata: {things: things/*.bin}\nmodel: {task: binary, rows: things, label: a}\n")
    fill(home, files=0)
    (home / "things").mkdir()
    (home / "things/one.bin").write_text("data")
    assert run("data", "add", cwd=home).code == 0
    (home / "things/one.bin").unlink()
    (home / "things/one.bin").mkdir()
    (home / "things/one.bin/notes").write_text("mine")
    said = run("data", "checkout", "--force", cwd=home)
    assert (said.code, "not of the dataset" in said.err, "move it away" in said.err) == (1, True, True)
    assert (home / "things/one.bin/notes").read_text() == "mine"


def test_what_a_killed_checkout_left_is_no_data_and_goes(run, tmp_path):
    home = project(tmp_path / "home")
    fill(home / "things", files=10)
    assert run("data", "add", cwd=home).code == 0
    dead = subprocess.Popen(["true"])
    dead.wait()
    left, alive = (home / f"things/1/.towpath-{pid}-0123abcd" for pid in (dead.pid, os.getpid()))
    left.write_text("half")
    alive.write_text("half")
    assert "as locked: 10 files" in run("data", "status", cwd=home).out
    (home / "things/1/1.bin").unlink()
    assert run("data", "checkout", cwd=home).code == 0
    assert (left.exists(), alive.exists()) == (False, True)


@pytest.mark.parametrize("how", [("checkout",), ("add", "--link")])
def test_nothing_is_read_again_after_files_were_made_or_linked(run, tmp_path, monkeypatch, how):
    home = project(tmp_path / "home")
    fill(home / "things", files=10)
    time.sleep(0.06)
    if how == ("checkout",):
        assert run("data", "add", cwd=home).code == 0
        shutil.rmtree(home / "things")
    assert run("data", *how, cwd=home).code == 0
    read = []
    monkeypatch.setattr(known, "of_file", read.append)
    assert "as locked: 10 files" in run("data", "status", cwd=home).out
    assert read == []


@pytest.mark.parametrize("path", ["things/*", "things/*/*.bin", "things/**/*.bin"])
def test_a_link_that_leads_nowhere_is_told_where_a_pattern_would_look(run, tmp_path, path):
    home = project(tmp_path / "home")
    (home / "towpath.yaml").write_text(f"name: small\ndata: {{things: {path}}}\nmodel: {{task: binary, rows: things, label: a}}\n")
    fill(home / "things", files=10)
    (home / "things/top.bin").write_text("a file")
    assert run("data", "add", cwd=home).code == 0
    (home / ("things/lost.bin" if path == "things/*" else "things/1/lost.bin")).symlink_to("nowhere")
    said = run("data", "add", cwd=home)
    assert (said.code, "leads nowhere" in said.err) == (2, True)
