"""A ref of a lakeFS repository: its commit is found first, then read through the S3 gateway, so that nothing moves meanwhile."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from importlib import import_module
from typing import Any
from urllib.parse import quote, urlsplit

from towpath.data.sources.port import Look, Source
from towpath.data.walk import Found, Marks, Told
from towpath.errors import Unavailable, UsageError

ENDPOINT, KEY, SECRET = "LAKECTL_SERVER_ENDPOINT_URL", "LAKECTL_CREDENTIALS_ACCESS_KEY_ID", "LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY"
TIMEOUT_S = 10.0


class LakeFs:
    """``lakefs://repository/ref/path``; the ref is a branch, a tag or a commit. What is not committed yet is not seen.

    Server and credentials are named by the variables that lakeFS's own client reads.
    """

    def __init__(self, url: str, environ: Mapping[str, str] = os.environ) -> None:
        parts = url.removeprefix("lakefs://").split("/", 2)
        if len(parts) < 2 or not all(parts[:2]):
            raise UsageError(f"{url} names no ref of a repository", mend="write lakefs://repository/branch/path")
        if missing := [name for name in (ENDPOINT, KEY, SECRET) if not environ.get(name)]:
            raise UsageError(f"{url} cannot be read: the environment has no {missing[0]}", mend=f"set it: `export {missing[0]}=...`")
        self._url, self._repository, self._ref, self._path = url, parts[0], parts[1], "".join(parts[2:])
        self._endpoint = environ[ENDPOINT].removesuffix("/").removesuffix("/api/v1")
        self._key, self._secret = environ[KEY], environ[SECRET]
        self._objects: Source | None = None

    def look(self) -> Look:
        commit = self._commit()
        config = {
            "endpoint": self._endpoint,
            "access_key_id": self._key,
            "secret_access_key": self._secret,
            "region": "us-east-1",
            "virtual_hosted_style_request": False,
        }
        place, origin = f"s3://{self._repository}/{commit}/{self._path}", {"lakefs": self._url, "commit": commit}
        shown = f"lakefs://{self._repository}/*/{self._path}"  # a file has the same ETag in whichever commit
        self._objects = import_module("towpath.data.sources.objects").Objects(place, shown=shown, config=config, origin=origin)
        return self._objects.look()

    def read(self, file: Found, take: Callable[[str], Told]) -> tuple[Told, Marks]:
        if self._objects is None:
            raise ValueError("a file is one of the last look")
        return self._objects.read(file, take)

    def _commit(self) -> str:
        """The commit that the ref means now."""
        answer = self._asked(f"/api/v1/repositories/{quote(self._repository)}/refs/{quote(self._ref, safe='')}/commits?amount=1")
        try:
            return str(answer["results"][0]["id"])
        except (TypeError, KeyError, IndexError):
            raise Unavailable(
                f"{self._endpoint} does not answer as lakeFS does", mend=f"look at {ENDPOINT}: the server's address"
            ) from None

    def _asked(self, path: str) -> Any:
        server = urlsplit(self._endpoint)
        connection = (HTTPSConnection if server.scheme == "https" else HTTPConnection)(
            server.hostname or "", server.port, timeout=TIMEOUT_S
        )
        key = base64.b64encode(f"{self._key}:{self._secret}".encode()).decode()
        try:
            connection.request("GET", f"{server.path}{path}", headers={"Authorization": f"Basic {key}", "User-Agent": "towpath"})
            response = connection.getresponse()
            status, body = response.status, response.read()
        except (OSError, HTTPException) as fault:
            raise Unavailable(f"lakeFS at {self._endpoint} did not answer: {fault}", mend="look whether it is up and reachable") from fault
        finally:
            connection.close()
        if status in (401, 403):
            raise UsageError(f"lakeFS at {self._endpoint} refuses these credentials ({status})", mend=f"mend {KEY} and {SECRET}")
        if status == 404:
            raise UsageError(f"lakeFS has no {self._ref!r} in {self._repository!r}", mend="mend `path` under `data` in towpath.yaml")
        if status != 200:
            raise Unavailable(f"lakeFS at {self._endpoint} answered {status}", mend="look at its log")
        return _json(body)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
