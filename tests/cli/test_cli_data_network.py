"""`data push`, `pull` and `checkout` through a bad network to a real SeaweedFS: words and an exit code, nothing lost, and the same
command again works."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.proxy import cut, cut_after, cut_within, proxy, slow, status, wrong_bytes

from towpath import stores

pytestmark = pytest.mark.parts

PATIENCE_S = 1.5
LASTING = {"500": status(500), "503": status(503), "cut": cut, "slow": slow(2)}
SENT = [pytest.param(fault, id=name) for name, fault in {**LASTING, "cut after": cut_after}.items()]
BROUGHT = [pytest.param(fault, id=name) for name, fault in {**LASTING, "cut within": cut_within}.items()]
VERBS = {"push": "ada", "pull": "grace", "checkout": "grace"}
CREDENTIALS = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]


@pytest.fixture
def network(seaweedfs, monkeypatch):
    """A proxy that the environment leads to, with little patience on our side."""
    opened = stores.bucket
    hasty = {"patience_s": PATIENCE_S, "whole_call_s": 1.0}
    monkeypatch.setattr(stores, "bucket", lambda place, root, **limits: opened(place, root, **{**limits, **hasty}))
    with proxy(seaweedfs.port) as between:
        for name, value in seaweedfs.through(between.port).items():
            monkeypatch.setenv(name, value)
        yield between
        between.does(None)


@pytest.fixture
def ada(tmp_path, seaweedfs):
    """A project whose data is added and not yet pushed."""
    home = tmp_path / "ada"
    for number in range(20):
        path = home / "things" / f"{number % 3}" / f"{number}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d" % number * (500_000 if number == 7 else 500))
    yaml = f"name: small\nremote: {seaweedfs.new()}\ndata: {{things: things}}\nmodel: {{task: binary, rows: things, label: a}}\n"
    (home / "towpath.yaml").write_text(yaml)
    subprocess.run(["git", "init", "-q"], cwd=home, check=True)
    return home


@pytest.fixture
def grace(ada, run, network):
    """Who has the lock of what was pushed, and no data."""
    well(run("data", "add", cwd=ada))
    well(run("data", "push", cwd=ada))
    home = ada.parent / "grace"
    home.mkdir()
    for name in ("towpath.yaml", "towpath.lock"):
        shutil.copy(ada / name, home / name)
    return home


def well(said):
    assert said.code == 0, said.err
    return said


def told(said, code, *words):
    """An error in words: what happened, and how to mend it."""
    assert said.code == code, said.out + said.err
    assert "Traceback" not in said.err + said.out
    assert "mend: " in said.err
    for word in words:
        assert word in said.err


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def visible(home):
    """What a person sees of a project."""
    return {name: data for name, data in files(home).items() if not name.startswith((".towpath/", ".git/"))}


def everything_is_there(run, ada):
    """For whoever has the lock and nothing else."""
    other = ada.parent / "other"
    other.mkdir()
    for name in ("towpath.yaml", "towpath.lock"):
        shutil.copy(ada / name, other / name)
    well(run("data", "checkout", cwd=other))
    assert files(other / "things") == files(ada / "things")
    well(run("verify", "store", "--remote", cwd=other))


@pytest.mark.parametrize("fault", SENT)
def test_a_push_into_it(run, network, ada, fault):
    well(run("data", "add", cwd=ada))
    before = files(ada / "things"), (ada / "towpath.lock").read_text()
    network.does(fault, lambda call: call.method == "PUT")
    told(run("data", "push", cwd=ada), 1, "did not answer while writing", "the same command goes on")
    network.does(None)
    assert (files(ada / "things"), (ada / "towpath.lock").read_text()) == before
    well(run("verify", "store", cwd=ada))
    well(run("data", "push", cwd=ada))
    everything_is_there(run, ada)


@pytest.mark.parametrize("verb", ["pull", "checkout"])
@pytest.mark.parametrize("fault", BROUGHT)
def test_bringing_data_through_it(run, network, ada, grace, verb, fault):
    network.does(fault, lambda call: "/packs/" in call.path)
    told(run("data", verb, cwd=grace), 1, "did not answer while reading packs/", "the same command goes on")
    network.does(None)
    brought(run, ada, grace, verb)


@pytest.mark.parametrize("verb", ["pull", "checkout"])
@pytest.mark.parametrize("part", ["packs", "index"])
def test_wrong_bytes(run, network, ada, grace, verb, part):
    network.does(wrong_bytes, lambda call: f"/{part}/" in call.path and call.method == "GET" and "list-type" not in call.path)
    told(run("data", verb, cwd=grace), 1, f"{part}/", "is corrupt")
    network.does(None)
    brought(run, ada, grace, verb)


def brought(run, ada, grace, verb):
    """Nothing half-made is left of what failed, and the same command brings all."""
    assert not (grace / "things").exists()
    well(run("verify", "store", cwd=grace))
    well(run("data", verb, cwd=grace))
    well(run("data", "checkout", cwd=grace))
    assert files(grace / "things") == files(ada / "things")
    well(run("verify", "store", "--remote", cwd=grace))


@pytest.mark.parametrize("wrong", CREDENTIALS)
@pytest.mark.parametrize(("verb", "who"), VERBS.items())
def test_wrong_credentials(process, run, ada, grace, verb, who, wrong):
    """In a process of its own, with all the patience that it has: there is nothing to wait for."""
    home = {"ada": ada, "grace": grace}[who]
    if verb == "push":
        (ada / "things/0/0.bin").write_bytes(b"new")
        well(run("data", "add", cwd=ada))
    before = visible(home)
    told(process("data", verb, cwd=home, **{wrong: "wrong"}), 2, "refuses", "AWS_SECRET_ACCESS_KEY")
    assert visible(home) == before
    well(process("data", verb, cwd=home))
    everything_is_there(run, ada)


@pytest.mark.parametrize("fault", [pytest.param(fault, id=name) for name, fault in {**LASTING, "slow": slow(0.2)}.items()])
def test_what_passes_is_not_noticed(process, run, network, ada, grace, fault):
    (ada / "things/0/0.bin").write_bytes(b"new")
    well(run("data", "add", cwd=ada))
    shutil.copy(ada / "towpath.lock", grace / "towpath.lock")
    for verb, who in VERBS.items():
        network.does(fault, lambda call: call.number % 3 == 1)
        well(process("data", verb, cwd={"ada": ada, "grace": grace}[who]))
    network.does(None)
    assert files(grace / "things") == files(ada / "things")
