"""What a client may send on a connection, and what it gets: over a real socket, byte for byte."""

from __future__ import annotations

import contextlib
import json
import logging
import select
import socket
import threading
import weakref
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from server.worker import conversation
from server.worker.asking import HEADERS_MAX, URL_BYTES_MAX
from server.worker.conversation import UNREAD_BYTES_MAX, Conversation, environ_of
from server.worker.places import Places
from sync.pausing import Pause

Say = Callable[[bytes], bytes]


def echo(environ, start_response):
    """Tells what arrived; `?` names how the answer is given."""
    read = environ["wsgi.input"].read() if environ["QUERY_STRING"] != "unread" else b""
    told = json.dumps(
        {
            "method": environ["REQUEST_METHOD"],
            "path": environ["PATH_INFO"],
            "raw": environ["RAW_URI"],
            "body": read.decode(),
            "headers": {key: value for key, value in environ.items() if key.startswith("HTTP_")},
        }
    ).encode()
    match environ["QUERY_STRING"]:
        case "pieces":
            start_response("200 OK", [])
            return iter([told[:10], b"", told[10:]])
        case "feed":
            start_response("200 OK", [])
            return feed(weakref.ref(environ.setdefault("a part of the app", Kept())))
        case "pausing":
            start_response("200 OK", [])
            return pausing(weakref.ref(environ.setdefault("a part of the app", Kept())))
        case "nothing":
            start_response("204 No Content", [])
            return []
        case "dated":
            start_response("304 Not Modified", [("date", "Sat, 01 Feb 2020 08:00:00 GMT")])
            return []
        case "smuggled":
            start_response("200 OK", [("X-Name", "a\r\nSet-Cookie: b")])
            return [told]
        case "broken":
            start_response("200 OK", [("Content-Length", "100")])
            return [b"short"]
        case "failing":
            raise RuntimeError("the wheel came off")
    start_response("200 OK", [("Content-Type", "application/json")])
    return [told]


class Kept:
    """What an app might put into `environ`."""


def feed(kept: weakref.ref[Kept]) -> Iterator[bytes]:
    """Called by the server when the app has returned."""
    yield b"kept" if kept() else b"let go"


def when_readable(client: socket.socket, call: Callable[[], None]) -> Callable[[], None]:
    select.select([client], [], [], 5)
    call()
    return lambda: None


def pausing(kept: weakref.ref[Kept]) -> Iterator[bytes | Pause]:
    yield b"before "
    yield Pause(0.01, lambda call: lambda: None)
    yield b"kept" if kept() else b"let go"


@pytest.fixture
def conversing() -> Iterator[Callable[[], socket.socket]]:
    """The client's ends of connections, each with a conversation at the other."""
    threads: list[threading.Thread] = []
    ends: list[socket.socket] = []

    def connect() -> socket.socket:
        ours, theirs = socket.socketpair()
        ends.append(ours)
        threads.append(threading.Thread(target=converse, args=[theirs]))
        threads[-1].start()
        return ours

    yield connect
    for end in ends:
        end.close()
    for thread in threads:
        thread.join(timeout=10)
        assert not thread.is_alive()


def converse(client: socket.socket) -> None:
    host = SimpleNamespace(
        keepalive_s=5.0,
        log=logging.getLogger("test"),
        alive=True,
        nr=0,
        wsgi=echo,
        places=Places(8),
        when_readable=when_readable,
    )
    environ = environ_of(client, SimpleNamespace(is_ssl=False, workers=1))
    with client:
        one = Conversation(host, environ, client, None)
        while pause := one.run():
            over = threading.Event()
            pause.begin(over.set)
            over.wait(pause.timeout_s)
            pause.end()
        one.end()


@pytest.fixture
def say(conversing: Callable[[], socket.socket]) -> Say:
    """Send bytes, end the sending side, and get all that comes back."""

    def ask(sent: bytes) -> bytes:
        ours = conversing()
        with contextlib.suppress(BrokenPipeError):  # we were hung up on
            ours.sendall(sent)
            ours.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: ours.recv(65536), b""))

    return ask


def told(answer: bytes) -> dict[str, Any]:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def test_a_plain_question_gets_an_answer_with_its_length(say: Say) -> None:
    answer = say(b"GET /a%2Fb/%E6%9D%91?x HTTP/1.1\r\nHost: h\r\nX-Two: 1\r\nX-Two: 2\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert told(answer)["path"].encode("latin-1").decode() == "/a/b/村"
    assert told(answer)["raw"] == "/a%2Fb/%E6%9D%91?x"
    assert told(answer)["headers"]["HTTP_X_TWO"] == "1,2"


def test_an_answer_has_one_date(say: Say) -> None:
    assert say(b"GET /?dated HTTP/1.1\r\nHost: a\r\n\r\n").lower().count(b"\r\ndate: ") == 1


def test_a_feed_that_waits_does_not_keep_its_request(say: Say) -> None:
    assert b"let go" in say(b"GET /?feed HTTP/1.1\r\nHost: h\r\n\r\n")


def test_an_answer_goes_on_after_a_pause_and_the_next_question_after_it(say: Say) -> None:
    answer = say(b"GET /?pausing HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n")
    first, second = answer.split(b"HTTP/1.1 200 OK")[1:]
    assert first.endswith(b"\r\n7\r\nbefore \r\n6\r\nlet go\r\n0\r\n\r\n")
    assert b'"/next"' in second


@pytest.mark.parametrize("soon_s", [0.0, 30.0])
def test_a_question_that_comes_later_is_answered_too(
    monkeypatch: pytest.MonkeyPatch, conversing: Callable[[], socket.socket], soon_s: float
) -> None:
    monkeypatch.setattr(conversation, "SOON_S", soon_s)
    ours = conversing()
    for path in (b"/1", b"/2", b"/3"):
        ours.sendall(b"GET %b HTTP/1.1\r\nHost: h\r\n\r\n" % path)
        assert path in ours.recv(65536)


def test_a_name_with_an_underscore_cannot_pass_itself_off_as_another(say: Say) -> None:
    answer = say(b"GET / HTTP/1.1\r\nHost: h\r\nX_Forwarded_For: 1.2.3.4\r\n\r\n")
    assert "HTTP_X_FORWARDED_FOR" not in told(answer)["headers"]


@pytest.mark.parametrize(
    "sent",
    [
        b"Content-Length: 6\r\n\r\n\xe6\x9d\x91abc",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\n\xe6\x9d\x91\r\n3\r\nabc\r\n0\r\n\r\n",
    ],
)
def test_a_body_arrives_whole_however_it_is_framed(say: Say, sent: bytes) -> None:
    assert told(say(b"POST / HTTP/1.1\r\nHost: h\r\n" + sent))["body"] == "村abc"


def test_questions_that_come_at_once_are_answered_in_turn(say: Say) -> None:
    one = b"POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"
    answer = say(one + one.replace(b"/1 ", b"/2 ") + b"GET /3 HTTP/1.1\r\nHost: h\r\n\r\n")
    assert [answer.index(path) for path in (b'"/1"', b'"/2"', b'"/3"')] == sorted(
        answer.index(path) for path in (b'"/1"', b'"/2"', b'"/3"')
    )
    assert answer.count(b"HTTP/1.1 200 OK") == 3


def test_a_body_that_nobody_read_is_not_taken_for_the_next_question(say: Say) -> None:
    hidden = b"GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n"
    head = b"POST /?unread HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(hidden)
    answer = say(head + hidden + b"GET /seen HTTP/1.1\r\nHost: h\r\n\r\n")
    assert b"/hidden" not in answer
    assert b'"/seen"' in answer


def test_a_long_body_that_nobody_read_ends_the_connection(say: Say) -> None:
    head = b"POST /?unread HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % (UNREAD_BYTES_MAX * 3)
    assert say(head + b"x" * (UNREAD_BYTES_MAX * 3) + b"GET /never HTTP/1.1\r\n\r\n").count(b"HTTP/1.1 ") == 1


def test_who_waits_for_a_word_before_the_body_gets_it(say: Say) -> None:
    head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    ours = say(head + b"ab")
    assert b'"body": "ab"' in ours


def test_pieces_go_out_in_chunks_and_in_http_1_0_until_the_end(say: Say) -> None:
    newer = say(b"GET /?pieces HTTP/1.1\r\nHost: h\r\n\r\n")
    older = say(b"GET /?pieces HTTP/1.0\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in newer
    assert newer.endswith(b"\r\n0\r\n\r\n")
    assert b"chunked" not in older
    assert told(older)["path"] == "/"


@pytest.mark.parametrize(
    "question", [b"HEAD / HTTP/1.1", b"HEAD /?pieces HTTP/1.1", b"GET /?nothing HTTP/1.1"]
)
def test_an_answer_without_a_body_has_none_and_the_next_one_comes(say: Say, question: bytes) -> None:
    answer = say(question + b"\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n")
    first, second = (
        answer.split(b"HTTP/1.1 200 OK")[-2:] if b"204" not in answer else answer.split(b"HTTP/1.1")[1:]
    )
    assert first.endswith(b"\r\n\r\n")
    assert b'"/next"' in second


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
        (b"GET / HTTP/1.1\r\nbroken header\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", b"400"),
        (b"GET /" + b"a" * URL_BYTES_MAX + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * (HEADERS_MAX + 1) + b"\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nX: " + b"1" * 70_000 + b"\r\n\r\n", b"431"),
    ],
)
def test_what_is_no_usable_request_is_refused_in_json(say: Say, sent: bytes, status: bytes) -> None:
    answer = say(sent + b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert set(told(answer)) == {"error", "reason"}


def test_a_body_cut_short_is_read_as_far_as_it_came(say: Say) -> None:
    assert told(say(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"))["body"] == "abc"


def test_a_question_for_another_protocol_is_answered_in_this_one(say: Say) -> None:
    answer = say(b"GET /plain HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
    assert told(answer)["path"] == "/plain"
    assert b"Connection: close" in answer


@pytest.mark.parametrize("way", [b"smuggled", b"failing"])
def test_an_app_that_fails_sends_nothing_it_should_not(say: Say, way: bytes) -> None:
    assert b"Set-Cookie" not in say(b"GET /?" + way + b" HTTP/1.1\r\nHost: h\r\n\r\n")


def test_an_answer_shorter_than_announced_ends_the_connection(say: Say) -> None:
    one = b"GET /?broken HTTP/1.1\r\nHost: h\r\n\r\n"
    assert say(one + one).count(b"HTTP/1.1 ") == 1


def test_without_a_question_there_is_no_answer(say: Say) -> None:
    assert say(b"") == b""
