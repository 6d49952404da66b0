"""A webhook: each message is one POST to one address."""

from __future__ import annotations

import hmac
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from towpath.errors import Unavailable, UsageError
from towpath.events import AnyEvent
from towpath.ledger import Record
from towpath.monitor.alerts import message

SIGNATURE = "Towpath-Signature"


class Webhook:
    """Posts CloudEvents. With a ``secret``, the header ``Towpath-Signature: sha256=...`` carries the HMAC of the body."""

    def __init__(self, url: str, *, project: str, name: str = "webhook", secret: str = "", timeout_s: float = 10.0) -> None:
        self._url, self._project, self._name = urlsplit(url), project, name
        self._secret, self._timeout_s = secret.encode(), timeout_s
        if self._url.scheme not in ("http", "https") or not self._url.hostname:
            raise UsageError(
                f"the webhook of `alerts` is no web address (it begins with {url[:8]!r})",
                mend="write `alerts: [{webhook: https://...}]`, or set the variable that it names",
            )

    @property
    def name(self) -> str:
        return self._name

    def wants(self, event: AnyEvent) -> bool:
        return message.is_told(event)

    def tell(self, record: Record) -> None:
        body = message.encoded(record.entry, self._project)
        headers = {"Content-Type": message.CONTENT_TYPE, "User-Agent": "towpath"}
        if self._secret:
            headers[SIGNATURE] = f"sha256={hmac.new(self._secret, body, 'sha256').hexdigest()}"
        self._post(body, headers)

    def _post(self, body: bytes, headers: dict[str, str]) -> None:
        address = self._url
        kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
        connection = kind(address.hostname or "", address.port, timeout=self._timeout_s)
        try:
            connection.request("POST", (address.path or "/") + (f"?{address.query}" if address.query else ""), body, headers)
            status = connection.getresponse().status
        except (OSError, HTTPException) as fault:
            raise self._unavailable(f"did not answer within {self._timeout_s:g} s ({type(fault).__name__}: {fault})") from fault
        finally:
            connection.close()
        if not 200 <= status < 300:
            raise self._unavailable(f"answered {status}")

    def _unavailable(self, what: str) -> Unavailable:
        # the host only: the path of a webhook is often its password
        return Unavailable(
            f"the webhook at {self._url.hostname} {what}",
            mend="nothing is lost: it is told again by the next turn; check the address under `alerts`, and that its host is up",
        )
