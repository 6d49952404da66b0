"""Beside DVC: its `.dvc` files as sources, and ours for it, against the real DVC in an environment of its own."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest
from tests.beside_dvc import Dvc
from tests.servers import S3

from towpath.cli import main
from towpath.data.add import add
from towpath.data.compare import compare, here
from towpath.data.index import Index
from towpath.data.manifest import files_of
from towpath.data.read import rows_of
from towpath.data.sources import dvc_files
from towpath.data.sources.dvc_files import Member, Out
from towpath.errors import Broken, UsageError
from towpath.project import Dataset
from towpath.store.memory import MemoryStore

CONTENTS = {
    "a/1.txt": b"one\r\ntwo\r\n",
    "a/b/2.bin": bytes(range(256)) * 100,
    "mit \u00fc & 'x'.txt": b"strange",
    "empty": b"",
    "z.txt": b"one\r\ntwo\r\n",
}


def write(folder: Path, contents: dict[str, bytes]) -> None:
    for name, data in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def read(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def repository(root: Path, dvc: Dvc) -> Path:
    root.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    dvc(root, "init", "--quiet")
    return root


def added(root: Path, path: str, store: MemoryStore) -> dict[str, bytes]:
    """What a dataset that is a `.dvc` file holds."""
    done = add("d", Dataset(path=path), root, store, Index(root / "index"), count=rows_of)
    return {file.path: store.get(file.digest) for file in files_of(store, done.digest)}


@pytest.mark.parts
@pytest.mark.timeout(400)
def test_what_dvc_added_is_read_from_its_cache_and_from_its_remote(tmp_path: Path, dvc: Dvc) -> None:
    root = repository(tmp_path / "project", dvc)
    write(root / "data/images", CONTENTS)
    dvc(root, "add", "--quiet", "data/images")
    dvc(root, "remote", "add", "--quiet", "--default", "store", str(tmp_path / "remote"))
    dvc(root, "push", "--quiet")
    wanted = {f"data/images/{name}": data for name, data in CONTENTS.items()}
    shutil.rmtree(root / "data/images")
    assert added(root, "data/images.dvc", MemoryStore()) == wanted
    shutil.rmtree(root / ".dvc/cache")
    store = MemoryStore()
    assert added(root, "data/images.dvc", store) == wanted
    done = add("d", Dataset(path="data/images.dvc"), root, store, Index(root / "index"), count=rows_of)
    assert (done.read, done.snapshot.kind) == (0, "files")
    assert done.snapshot.source["dvc"] == "data/images.dvc"
    assert str(done.snapshot.source["md5"]).endswith(".dir")


@pytest.mark.parts
@pytest.mark.timeout(400)
def test_a_table_that_dvc_added_is_a_table_and_its_next_version_is_seen(tmp_path: Path, dvc: Dvc) -> None:
    root = repository(tmp_path / "project", dvc)
    pl.DataFrame({"a": [1, 2]}).write_parquet(root / "rides.parquet")
    dvc(root, "add", "--quiet", "rides.parquet")
    dataset, index = Dataset(path="rides.parquet.dvc"), Index(root / "index")
    assert add("rides", dataset, root, MemoryStore(), index, count=rows_of).snapshot.rows == 2
    before = here(dataset, root, index)
    pl.DataFrame({"a": [1, 2, 3]}).write_parquet(root / "rides.parquet")
    dvc(root, "add", "--quiet", "rides.parquet")
    assert compare(here(dataset, root, index), before).changed == ["rides.parquet"]


@pytest.mark.parts
@pytest.mark.timeout(400)
def test_a_remote_in_a_bucket(tmp_path: Path, dvc: Dvc, moto: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path / "project", dvc)
    write(root / "images", CONTENTS)
    dvc(root, "add", "--quiet", "images")
    dvc(root, "remote", "add", "--quiet", "--default", "store", moto.new())
    dvc(root, "remote", "modify", "--quiet", "store", "endpointurl", moto.endpoint)
    keys = {"access_key_id": moto.environ["AWS_ACCESS_KEY_ID"], "secret_access_key": moto.environ["AWS_SECRET_ACCESS_KEY"]}
    for key, value in keys.items():
        dvc(root, "remote", "modify", "--quiet", "--local", "store", key, value)
    dvc(root, "push", "--quiet", environ={"AWS_REGION": "us-east-1"})
    shutil.rmtree(root / ".dvc/cache")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    assert added(root, "images.dvc", MemoryStore()) == {f"images/{name}": data for name, data in CONTENTS.items()}


def project(root: Path, data: str) -> Path:
    root.mkdir(exist_ok=True)
    (root / "towpath.yaml").write_text(f"name: small\ndata: {{{data}}}\nmodel: {{task: binary, rows: images, label: a}}\n")
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    return root


def towpath(root: Path, *words: str) -> int:
    return main([*words, "--project", str(root)])


@pytest.mark.parts
@pytest.mark.timeout(400)
def test_what_we_export_dvc_pulls_byte_for_byte(tmp_path: Path, dvc: Dvc, capsys: pytest.CaptureFixture[str]) -> None:
    root = project(tmp_path / "project", "images: images, rides: 'rides/*.csv', one: one.bin")
    contents = {f"images/{name}": data for name, data in CONTENTS.items()} | {
        "rides/1.csv": b"a\n1\n",
        "rides/2.csv": b"a\n2\n",
        "one.bin": b"1",
    }
    write(root, {**contents, "rides/other.txt": b"not of the dataset"})
    assert towpath(root, "data", "add") == 0
    assert towpath(root, "data", "export", "--dvc", "--to", str(tmp_path / "remote")) == 0
    assert "dvc pull" in capsys.readouterr().out
    clone = tmp_path / "clone"
    for file in [*root.glob("**/*.dvc"), root / ".dvc/config", root / ".dvc/.gitignore"]:
        if file.is_file():
            target = clone / file.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
    subprocess.run(["git", "init", "--quiet"], cwd=clone, check=True)
    dvc(clone, "pull", "--quiet")
    assert {name: data for name, data in read(clone).items() if name in contents} == contents
    assert dvc(clone, "status").strip() == "Data and pipelines are up to date."
    same = (clone / "images.dvc").read_text()
    dvc(clone, "add", "--quiet", "images")
    assert (clone / "images.dvc").read_text() == same, "DVC's own file for the same data"


@pytest.mark.parts
@pytest.mark.timeout(400)
def test_an_export_goes_to_the_remote_that_dvc_has_and_sends_nothing_twice(
    tmp_path: Path, dvc: Dvc, moto: S3, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in moto.environ.items():
        monkeypatch.setenv(name, value)
    root = project(repository(tmp_path / "project", dvc), "images: images")
    write(root / "images", CONTENTS)
    dvc(root, "remote", "add", "--quiet", "--default", "store", moto.new())
    dvc(root, "remote", "modify", "--quiet", "store", "endpointurl", moto.endpoint)
    assert towpath(root, "data", "add") == 0
    assert towpath(root, "data", "export", "--dvc") == 0
    capsys.readouterr()
    assert towpath(root, "data", "export", "--dvc") == 0
    assert "0 B sent" in capsys.readouterr().out
    shutil.rmtree(root / "images")
    dvc(root, "pull", "--quiet", environ=moto.environ)
    assert read(root / "images") == CONTENTS


MD5_OF_X = "9dd4e461268c8034f5c8564e155c67a6"


def by_hand(root: Path, out: str, objects: dict[str, bytes]) -> Path:
    """A repository as DVC has it, with these bytes in its cache."""
    write(root / ".dvc/cache", objects)
    (root / "d.dvc").write_text(out)
    return root


def test_a_file_of_dvc_2_is_read_by_its_own_md5(tmp_path: Path) -> None:
    # DVC 2 took the MD5 of a text with Unix ends of lines, and kept its bytes as they were
    md5 = hashlib.md5(b"one\ntwo\n", usedforsecurity=False).hexdigest()
    text = f"outs:\n- md5: {md5}\n  size: 10\n  path: d.txt\n"
    root = by_hand(tmp_path, text, {f"{md5[:2]}/{md5[2:]}": b"one\r\ntwo\r\n"})
    assert added(root, "d.dvc", MemoryStore()) == {"d.txt": b"one\r\ntwo\r\n"}


def test_bytes_that_are_not_what_their_name_says_are_not_taken(tmp_path: Path) -> None:
    out = f"outs:\n- md5: {MD5_OF_X}\n  size: 1\n  hash: md5\n  path: d.txt\n"
    root = by_hand(tmp_path, out, {f"files/md5/{MD5_OF_X[:2]}/{MD5_OF_X[2:]}": b"y"})
    with pytest.raises(Broken, match=r"d\.txt in DVC's cache"):
        added(root, "d.dvc", MemoryStore())


@pytest.mark.parametrize(
    ("out", "words"),
    [
        (f"outs:\n- md5: {MD5_OF_X}\n  size: 1\n  hash: md5\n  path: d.txt\n", "neither in DVC's cache nor in its remote"),
        ("outs:\n- path: d.txt\n", "has no MD5"),
        ("outs:\n- md5: ../../etc\n  path: d.txt\n", "has no MD5"),
        ("", "no `outs`"),
        ("a: [", "d.dvc"),
        (f"outs:\n- md5: {MD5_OF_X}\n  hash: md5\n  path: d.txt\n  remote: elsewhere\n", "elsewhere"),
    ],
)
def test_what_names_no_data_is_told(tmp_path: Path, out: str, words: str) -> None:
    by_hand(tmp_path, out, {"CACHEDIR.TAG": b""})
    with pytest.raises(UsageError, match=words):
        added(tmp_path, "d.dvc", MemoryStore())


def test_a_dvc_file_outside_of_a_repository_or_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        added(tmp_path, "d.dvc", MemoryStore())
    (tmp_path / "d.dvc").write_text("outs: []\n")
    with pytest.raises(UsageError, match="no repository of DVC"):
        added(tmp_path, "d.dvc", MemoryStore())


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("[core]\n    remote = s\n['remote \"s\"']\n    url = ssh://host/x\n", "ssh://"),
        ("[core]\n    remote = s\n['remote \"s\"']\n    url = s3://b/x\n    profile = me\n", "`profile`"),
        ("[core]\n    remote = s\n", "no remote of DVC called 's'"),
        ("no section = 1\n", "cannot be read"),
    ],
)
def test_a_remote_that_is_not_read_is_told(tmp_path: Path, config: str, words: str) -> None:
    by_hand(tmp_path, f"outs:\n- md5: {MD5_OF_X}\n  hash: md5\n  path: d.txt\n", {"CACHEDIR.TAG": b""})
    (tmp_path / ".dvc/config").write_text(config)
    with pytest.raises(UsageError, match=words):
        added(tmp_path, "d.dvc", MemoryStore())


def test_what_is_written_is_read_again() -> None:
    for path in ("images", "mit \u00fc: #", "no", "a'b\"c", "1"):
        text = dvc_files.text_of(Out(path, MD5_OF_X, 5), 3)
        assert dvc_files.outs(text, "x") == [Out(f"./{path}", MD5_OF_X, 5)]
    members = [Member("b/ü", MD5_OF_X), Member("a", MD5_OF_X)]
    assert dvc_files.members(dvc_files.list_of(members), "x") == members[::-1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "../remote"], "for one tool"),
        (["--dvc"], "never added|does not have it"),
        (["nothing", "--dvc", "--to", "../remote"], "no dataset called 'nothing'"),
        (["table", "--dvc", "--to", "../remote"], "read from elsewhere"),
    ],
)
def test_an_export_that_cannot_be_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    root = project(tmp_path / "project", "images: images, table: {delta: somewhere}")
    assert towpath(root, "data", "export", *words) == 2
    assert re.search(said, capsys.readouterr().err)
    assert not (root / ".dvc").exists()
