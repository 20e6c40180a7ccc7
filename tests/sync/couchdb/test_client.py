"""What a client is told when CouchDB is away, refuses, or is not who it says."""

from __future__ import annotations

import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sync import couchdb
from sync.couchdb import Address, BadAddress, errors
from sync.couchdb.errors import Unavailable
from sync.store import BadRequest, Conflict, Database, InsufficientStorage, NotFound, StoreError


class SaysWelcome(BaseHTTPRequestHandler):
    answer = b'{"couchdb":"Welcome","uuid":"1234"}'

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: object) -> None: ...


class SaysHtml(SaysWelcome):
    answer = b"<html>Bad gateway</html>"


class SaysChanges(SaysWelcome):
    """Two rows, and the end once the client has told that it has them; cut short for who asks for all."""

    protocol_version = "HTTP/1.1"
    may_end = threading.Event()

    def do_GET(self) -> None:
        self.answer = b'{"couchdb":"Welcome","uuid":"1234"}'
        if not self.path.startswith("/village/_changes"):
            self.answer = b'{"db_name":"village","instance_start_time":"5","update_seq":"2-x"}'
        super().do_GET()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        row = b'{"seq":"%d-x","id":"d%d","changes":[{"rev":"1-a"}]}'
        self._send(b'{"results":[\n' + b",\n".join(row % (n, n) for n in range(200, 0, -1)))
        if "limit" in self.path:
            assert self.may_end.wait(30)
            self._send(b'\n],\n"last_seq":"1-x","pending":0}\n')
        self._send(b"")

    def _send(self, chunk: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Signed by nobody but itself."""
    made = tmp_path / "couchdb.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
    ]
    command += ["-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", str(made), "-out", str(tmp_path / "certificate.pem")]
    subprocess.run(command, check=True, capture_output=True)
    made.write_text(made.read_text() + (tmp_path / "certificate.pem").read_text())
    return made


@pytest.fixture
def encrypted(certificate: Path) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), SaysWelcome)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    yield from serving(server)


@pytest.fixture
def proxy_page() -> Iterator[int]:
    yield from serving(ThreadingHTTPServer(("127.0.0.1", 0), SaysHtml))


@pytest.fixture
def changing() -> Iterator[Database]:
    for port in serving(ThreadingHTTPServer(("127.0.0.1", 0), SaysChanges)):
        yield couchdb.open_store(f"couchdb+http://u:p@127.0.0.1:{port}").open("village")


def test_changes_are_read_backwards_while_they_come(changing: Database) -> None:
    rows = changing.changes_backwards(limit=1000)
    assert next(rows).id == "d200"
    SaysChanges.may_end.set()
    assert len(list(rows)) == 199


def test_changes_that_are_cut_short_are_no_end(changing: Database) -> None:
    with pytest.raises(Unavailable, match="cut short"):
        list(changing.changes_backwards())


def serving(server: ThreadingHTTPServer) -> Iterator[int]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_a_certificate_that_nobody_vouches_for_is_refused(encrypted: int) -> None:
    with pytest.raises(Unavailable):
        _ = couchdb.open_store(f"couchdb+https://u:p@localhost:{encrypted}").uuid


def test_a_certificate_that_the_operator_vouches_for_is_accepted(
    encrypted: int, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    assert couchdb.open_store(f"couchdb+https://u:p@localhost:{encrypted}").uuid == "1234"


def test_a_proxys_page_is_told_as_unavailable(proxy_page: int) -> None:
    with pytest.raises(Unavailable, match="no JSON"):
        _ = couchdb.open_store(f"couchdb+http://u:p@127.0.0.1:{proxy_page}").uuid


def test_a_couchdb_that_is_down_is_a_503_that_phones_meet_by_trying_again() -> None:
    with pytest.raises(Unavailable, match="cannot be reached") as told:
        couchdb.open_store("couchdb+http://u:p@127.0.0.1:1").open("inbox-1")
    assert (told.value.status, told.value.error) == (503, "service_unavailable")


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (404, b'{"error":"not_found","reason":"missing"}', NotFound),
        (409, b'{"error":"conflict","reason":"Document update conflict."}', Conflict),
        (400, b'{"error":"bad_request","reason":"invalid UTF-8 JSON"}', BadRequest),
        (507, b'{"error":"insufficient_storage","reason":"database_dir is too full"}', InsufficientStorage),
        (401, b'{"error":"unauthorized","reason":"Name or password is incorrect."}', Unavailable),
        (403, b'{"error":"forbidden","reason":"You are not allowed to access this db."}', Unavailable),
        (202, b'[{"ok":true,"id":"a","rev":"1-a"}]', Unavailable),
        (500, b'{"error":"nodedown","reason":"progress not possible"}', Unavailable),
        (502, b"<html>", Unavailable),
    ],
)
def test_every_answer_has_its_error(status: int, content: bytes, kind: type[StoreError]) -> None:
    """A 401 or 403 is this server's trouble; passed on, it would end a phone's replication for good."""
    assert type(errors.of_answer(status, content)) is kind


def test_an_address_is_taken_apart() -> None:
    found = Address.parse("couchdb+https://grid%40book:p%2Fw%3A@couch.example.cn:6984/boshan")
    assert found == Address("https://couch.example.cn:6984", "grid@book", "p/w:", "boshan$")


@pytest.mark.parametrize(
    "address", ["", "couchdb://u:p@h", "couchdb+http://h", "couchdb+http://u:secret@h:x"]
)
def test_an_address_that_is_none_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(BadAddress) as told:
        Address.parse(address)
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("[::1]", True),
        ("10.0.0.7", True),
        ("8.8.8.8", False),
        ("a.cn", False),
    ],
)
def test_only_a_private_network_goes_without_encryption(host: str, private: bool) -> None:
    assert Address.parse(f"couchdb+http://u:p@{host}").is_private is private
    assert Address.parse(f"couchdb+https://u:p@{host}").is_private is True


def test_reading_an_address_loads_nothing_that_gevent_must_patch_first() -> None:
    """gunicorn reads the settings before its workers make sockets and TLS cooperative."""
    loaded = "import sys, sync.couchdb; sys.exit(bool({'requests', 'ssl', 'pycouchdb'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", loaded], check=False).returncode == 0
