"""Talking to CouchDB. The one file that knows pycouchdb.

pycouchdb's calls raise at the first bad row of a batch, forget statuses, leave "/" in ids as it is, know
neither `_revs_diff`, `_bulk_get` nor `new_edits`, and trust any certificate unless told otherwise. So it
opens and authenticates the session, and the requests are made here: ids escaped, certificates checked, a
time-out on each, and whatever goes wrong told as a StoreError.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
import pycouchdb
import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from sync.couchdb import errors
from sync.couchdb.address import Address

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 60.0
CONNECTIONS_KEPT_MAX = 100
LINES_BYTES = 64 * 1024

JSON = {"Content-Type": "application/json", "Accept": "application/json"}

Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def value(self) -> Any:
        return errors.json_of(self.content)


class Client:
    """Usable from threads and greenlets. Connections are kept and shared; a call takes one while it lasts."""

    def __init__(self, address: Address) -> None:
        self._base_url = address.base_url
        server = pycouchdb.Server(
            _with_credentials(address), authmethod="basic", verify=True, timeout=READ_TIMEOUT_S
        )
        self._session: requests.Session = server.resource.session
        # A kept connection may have been closed from the other side; what only reads is asked once more.
        again = Retry(total=1, status=0, other=0, allowed_methods=["GET", "HEAD"], backoff_factor=0.1)
        adapter = HTTPAdapter(pool_maxsize=CONNECTIONS_KEPT_MAX, max_retries=again)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def call(
        self,
        method: str,
        path: Sequence[str],
        *,
        params: Params | None = None,
        json: Any = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = READ_TIMEOUT_S,
        accepted: bool = False,
    ) -> Answer:
        """One request; each part of `path` is escaped as a whole.

        Raises StoreError for every answer of 300 and above, when there is no answer, and for 202, which says
        of a write that too few nodes have it; with `accepted` it is as good as 200.
        """
        body = orjson.dumps(json) if data is None and json is not None else data
        with _reachable(method):
            answer = self._ask(method, path, params, body, headers, timeout_s, stream=False)
        if answer.status_code >= 300 or (answer.status_code == 202 and not accepted):
            raise errors.of_answer(answer.status_code, answer.content)
        return Answer(answer.status_code, answer.headers, answer.content)

    def lines(
        self, method: str, path: Sequence[str], *, params: Params | None = None, json: Any = None
    ) -> Iterator[bytes]:
        """`call`, and the lines of the answer while it comes; the connection is held until the last."""
        with _reachable(method):
            answer = self._ask(method, path, params, orjson.dumps(json), None, READ_TIMEOUT_S, stream=True)
            with answer:
                if answer.status_code >= 300:
                    raise errors.of_answer(answer.status_code, answer.content)
                yield from answer.iter_lines(LINES_BYTES)

    def _ask(
        self,
        method: str,
        path: Sequence[str],
        params: Params | None,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        timeout_s: float,
        *,
        stream: bool,
    ) -> requests.Response:
        return self._session.request(
            method,
            f"{self._base_url}/{'/'.join(quote(part, safe='') for part in path)}",
            params=_written(params or {}),
            data=body,
            headers={**JSON, **(headers or {})},
            timeout=(CONNECT_TIMEOUT_S, timeout_s),
            allow_redirects=False,
            stream=stream,
        )

    def json(self, method: str, path: Sequence[str], **options: Any) -> Any:
        """`call`, and the answer's JSON."""
        return self.call(method, path, **options).value

    def close(self) -> None:
        self._session.close()


@contextmanager
def _reachable(method: str) -> Iterator[None]:
    try:
        yield
    except (requests.RequestException, OSError) as cause:
        log.warning("CouchDB does not answer %s: %s", method, type(cause).__name__)
        raise errors.Unavailable("The document store cannot be reached. Try again later.") from cause


def _with_credentials(address: Address) -> str:
    scheme, rest = address.base_url.split("://", 1)
    return f"{scheme}://{quote(address.user, safe='')}:{quote(address.password, safe='')}@{rest}/"


def _written(params: Params) -> dict[str, str]:
    """CouchDB's spelling: flags that are off and what is None are left out."""
    told = {name: value for name, value in params.items() if value is not None and value is not False}
    return {name: "true" if value is True else str(value) for name, value in told.items()}
