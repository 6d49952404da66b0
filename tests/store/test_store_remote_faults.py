"""Bad days of a network, by a proxy before a real SeaweedFS: a clear error, nothing lost, and the same command again finishes."""

import time

import pytest
from tests.proxy import cut, cut_after, cut_within, proxy, slow, status, without_header, wrong_bytes
from tests.store.remotes import Client, noise

from towpath.errors import Broken, Unavailable, UsageError
from towpath.store.remote import prove
from towpath.store.remote.cloud import CloudBucket

pytestmark = pytest.mark.parts

MB = 1 << 20
PATIENCE_S = 1.5
PASSING = {"500": status(500), "503": status(503), "cut": cut, "cut after": cut_after, "slow": slow(0.2)}
LASTING = {"500": status(500), "503": status(503), "cut": cut, "cut after": cut_after, "hangs": slow(2)}


@pytest.fixture(scope="module")
def between(seaweedfs):
    with proxy(seaweedfs.port) as one:
        yield one


@pytest.fixture
def network(between):
    between.does(None)
    yield between
    between.does(None)


@pytest.fixture
def url(seaweedfs, network, monkeypatch):
    for name, value in seaweedfs.through(network.port).items():
        monkeypatch.setenv(name, value)
    return seaweedfs.new()


@pytest.fixture
def client(tmp_path, url):
    return Client(tmp_path / "one", CloudBucket(url, patience_s=PATIENCE_S, whole_call_s=1.0))


@pytest.fixture
def other(tmp_path, url):
    return Client(tmp_path / "other", CloudBucket(url, patience_s=PATIENCE_S, whole_call_s=1.0))


@pytest.fixture
def objects(client):
    return client.add(noise(3 * MB), *(noise(1000, seed) for seed in range(20)), b"")


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_what_passes_is_not_noticed(client, other, network, objects, fault):
    network.does(fault, lambda call: call.number % 3 == 1)
    client.push(objects)
    network.does(fault, lambda call: call.number % 3 == 1)
    other.fetch(objects)
    assert other.holds(objects)
    assert client.remote.verify().faults == ()


@pytest.mark.parametrize("method", ["PUT", "GET", "HEAD"])
@pytest.mark.parametrize("fault", LASTING.values(), ids=LASTING.keys())
def test_a_push_into_what_lasts_ends_with_an_error_and_goes_on_later(client, other, network, url, objects, fault, method):
    client.push(client.add(b"the first of all, so that this remote is known"))
    network.does(fault, lambda call: call.method == method)
    start = time.monotonic()
    with pytest.raises(Unavailable, match=url) as caught:
        client.push(objects)
    assert time.monotonic() - start < 20
    assert "the same command goes on" in caught.value.mend
    network.does(None)
    client.push(objects)
    other.fetch(objects)
    assert other.holds(objects)
    assert client.remote.verify().faults == ()


@pytest.mark.parametrize("fault", [*LASTING.values(), cut_within], ids=[*LASTING.keys(), "cut within"])
def test_a_fetch_from_what_lasts_ends_with_an_error_and_goes_on_later(client, other, network, url, objects, fault):
    client.push(objects)
    network.does(fault, lambda call: "/packs/" in call.path)
    with pytest.raises(Unavailable, match=url) as caught:
        other.fetch(objects)
    assert "the same command goes on" in caught.value.mend
    network.does(None)
    other.fetch(objects)
    assert other.holds(objects)


@pytest.mark.parametrize("fault", LASTING.values(), ids=LASTING.keys())
def test_a_gc_into_what_lasts_ends_with_an_error_and_loses_nothing(client, other, network, url, objects, fault):
    client.push(objects)
    network.does(fault, lambda call: call.number > 4)
    with pytest.raises(Unavailable, match=url):
        client.remote.gc(objects)
    network.does(None)
    client.remote.gc(objects)
    other.fetch(objects)
    assert other.holds(objects)


def test_an_answer_that_is_cut_off_once_is_read_again(client, other, network, objects):
    client.push(objects)
    network.does(cut_within, lambda call: call.number % 2 == 1)
    other.fetch(objects)
    assert other.holds(objects)


@pytest.mark.parametrize("part", ["packs", "index"])
def test_wrong_bytes_are_named_and_not_kept(client, other, network, objects, part):
    client.push(objects)
    network.does(wrong_bytes, lambda call: f"/{part}/" in call.path and call.method == "GET" and "list-type" not in call.path)
    with pytest.raises(Broken, match=rf"{part}/.*is corrupt"):
        other.fetch(objects)
    network.does(None)
    other.fetch(objects)
    assert other.holds(objects)


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_wrong_credentials_are_told_at_once(client, objects, url, tmp_path, monkeypatch, name):
    client.push(objects)
    monkeypatch.setenv(name, "wrong")
    stranger = Client(tmp_path / "stranger", CloudBucket(url))
    for call in (lambda: stranger.fetch(objects), lambda: stranger.push(stranger.add(b"data")), lambda: stranger.remote.gc([])):
        start = time.monotonic()
        with pytest.raises(UsageError, match=f"{url} refuses") as caught:
            call()
        assert time.monotonic() - start < 2
        assert "AWS_SECRET_ACCESS_KEY" in caught.value.mend


def test_a_server_that_ignores_conditional_writes_is_refused(moto, tmp_path, monkeypatch):
    """By a header that is lost on the way to moto, which checks no signature."""
    with proxy(moto.port) as forgetful:
        for name, value in moto.through(forgetful.port).items():
            monkeypatch.setenv(name, value)
        client = Client(tmp_path, CloudBucket(moto.new()))
        forgetful.does(without_header("If-None-Match"))
        with pytest.raises(UsageError, match="ignores conditional writes"):
            client.push(client.add(b"data"))
        assert list(client.bucket.list("packs")) == []
        forgetful.does(None)
        prove(client.bucket)


def test_s3rver_which_ignores_them_is_refused_and_gets_nothing(s3rver, tmp_path, monkeypatch):
    for name, value in s3rver.environ.items():
        monkeypatch.setenv(name, value)
    client = Client(tmp_path, CloudBucket(s3rver.new()))
    with pytest.raises(UsageError, match="ignores conditional writes"):
        client.push(client.add(b"data"))
    assert list(client.bucket.list("packs")) == []
