"""Refs of lakeFS. There is no lakeFS here: SeaweedFS stands for its S3 gateway, with its form of paths, and a few lines for its API."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import obstore
import pytest
from obstore.store import from_url
from tests.servers import S3

from towpath.data.compare import compare, here
from towpath.data.index import Index
from towpath.data.snapshot import see, take
from towpath.data.sources.lakefs import ENDPOINT, KEY, SECRET
from towpath.errors import Unavailable, UsageError
from towpath.project import Dataset
from towpath.store.memory import MemoryStore


class Gateway(BaseHTTPRequestHandler):
    """Answers for the API which commit a branch is at; all other calls go to the S3 server as they are."""

    s3: ClassVar[int]
    login: ClassVar[str]
    commits: ClassVar[dict[str, str]]
    fetched: ClassVar[list[str]]

    def do_GET(self) -> None:
        if self.path.startswith("/api/"):
            self._answer(*self._commit())
            return
        self.fetched.append(self.path.partition("?")[0].rpartition("/trips/")[2])
        there = HTTPConnection("127.0.0.1", self.s3)
        there.request("GET", self.path, headers=dict(self.headers))
        reply = there.getresponse()
        self._answer(
            reply.status, reply.read(), [(k, v) for k, v in reply.getheaders() if k.lower() in ("etag", "last-modified", "content-type")]
        )
        there.close()

    def _commit(self) -> tuple[int, bytes]:
        if self.headers["Authorization"] != self.login:
            return 401, b"{}"
        ref = self.path.split("/refs/")[1].split("/")[0]
        return (200, json.dumps({"results": [{"id": self.commits[ref]}]}).encode()) if ref in self.commits else (404, b"{}")

    def _answer(self, status: int, body: bytes, headers: list[tuple[str, str]] | None = None) -> None:
        self.send_response(status)
        for name, value in headers or []:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def lakefs(seaweedfs: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Gateway]]:
    key, secret = (seaweedfs.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    login = "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()
    handler = type("Here", (Gateway,), {"s3": seaweedfs.port, "login": login, "commits": {}, "fetched": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    for name, value in {ENDPOINT: f"http://127.0.0.1:{server.server_port}", KEY: key, SECRET: secret}.items():
        monkeypatch.setenv(name, value)
    yield handler
    server.shutdown()
    server.server_close()


def put(seaweedfs: S3, commit: str, **files: bytes) -> None:
    """What the gateway gives for a commit."""
    secrets = {"access_key_id": seaweedfs.environ["AWS_ACCESS_KEY_ID"], "secret_access_key": seaweedfs.environ["AWS_SECRET_ACCESS_KEY"]}
    bucket = from_url(f"s3://{S3.bucket}", endpoint=seaweedfs.endpoint, region="us-east-1", client_options={"allow_http": True}, **secrets)
    for name, data in files.items():
        obstore.put(bucket, f"{commit}/trips/{name}.bin", data)


@pytest.mark.parts
def test_a_branch_is_read_at_its_commit_which_is_remembered(tmp_path: Path, seaweedfs: S3, lakefs: type[Gateway]) -> None:
    put(seaweedfs, "c0ffee", a=b"1", b=b"2")
    put(seaweedfs, "decaf", a=b"1", b=b"3", c=b"4")
    dataset, index = Dataset(path=f"lakefs://{S3.bucket}/main/trips/"), Index(tmp_path / "index")
    lakefs.commits["main"] = "c0ffee"
    seen = see(dataset, tmp_path, store := MemoryStore())
    taken = take("trips", seen.parts, store, kind=seen.kind, origin=seen.origin)
    assert taken.snapshot.source == {"lakefs": dataset.path, "commit": "c0ffee"}
    assert [store.get(part.digest) for part in seen.parts] == [b"1", b"2"]
    before = here(dataset, tmp_path, index)
    lakefs.commits["main"] = "decaf"
    lakefs.fetched.clear()
    assert compare(here(dataset, tmp_path, index), before) == (["c.bin"], ["b.bin"], [])
    assert sorted(name for name in lakefs.fetched if name.endswith(".bin")) == ["b.bin", "c.bin"]


@pytest.mark.parts
def test_what_the_server_refuses_or_lacks_is_told(tmp_path: Path, lakefs: type[Gateway], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="has no 'nowhere'"):
        see(Dataset(path="lakefs://repo/nowhere/x"), tmp_path, MemoryStore())
    monkeypatch.setenv(SECRET, "sesame")
    with pytest.raises(UsageError, match="refuses these credentials") as caught:
        see(Dataset(path="lakefs://repo/main/x"), tmp_path, MemoryStore())
    assert "sesame" not in str(caught.value)
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:1")
    with pytest.raises(Unavailable, match="did not answer"):
        see(Dataset(path="lakefs://repo/main/x"), tmp_path, MemoryStore())


def test_a_missing_variable_and_a_path_without_a_ref_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    with pytest.raises(UsageError, match=ENDPOINT):
        see(Dataset(path="lakefs://repo/main/x"), tmp_path, MemoryStore())
    with pytest.raises(UsageError, match="names no ref"):
        see(Dataset(path="lakefs://repo"), tmp_path, MemoryStore())
