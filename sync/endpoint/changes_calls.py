"""_changes: what moved in a database, once (normal), the next time (longpoll), or from here on (continuous).

A feed holds no connection to the store while it waits, nor a thread where the server knows pauses. It sends
newlines as heartbeats, both before and inside the JSON; where a heartbeat cannot be sent any more the client
is gone and the feed ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Response

from sync.endpoint import answers, changes_filters, sequences
from sync.endpoint.call import Call
from sync.endpoint.changes_filters import Filter
from sync.endpoint.limits import Limits
from sync.endpoint.query import Query
from sync.pausing import PAUSES, Pause
from sync.rendering import change_row, writing_json
from sync.store import BEGINNING, BadRequest, Change, Database, NotFound, Seq, Store

FEEDS = ("normal", "continuous", "live", "longpoll", "eventsource")
PAGE_ROWS_WITH_ATTACHMENTS = 1
HEAD = b'{"results":[\n'


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the client asked for."""

    feed: str
    since: Seq
    limit: int | None
    descending: bool
    all_leaves: bool
    include_docs: bool
    conflicts: bool
    attachments: bool
    heartbeat_s: float | None
    timeout_s: float
    filter: Filter


def get(call: Call) -> Response:
    return _answer(call, {})


def post(call: Call) -> Response:
    return _answer(call, call.json_object() if call.request.content_length != 0 else {})


def _answer(call: Call, body: dict[str, Any]) -> Response:
    query = Query(call.request.args, {name: body[name] for name in ("doc_ids",) if name in body})
    wanted = _wanted(call, query, body)
    feed = _Feed(call.store, call.database, call.limits, wanted, pauses=PAUSES in call.request.environ)
    if wanted.feed == "normal":
        return _normal_answer(call, feed)
    if wanted.feed == "eventsource":
        told = answers.streamed(feed.eventsource(), "text/event-stream")
        told.headers["Cache-Control"] = "no-cache"
        return told
    return answers.streamed(feed.longpoll() if wanted.feed == "longpoll" else feed.continuous())


def _normal_answer(call: Call, feed: _Feed) -> Response:
    """Nothing is read for a client that has the answer since nothing moved."""
    tag = call.database.seq()
    if call.request.if_none_match.contains_weak(tag):
        return answers.unchanged(tag)
    answer = answers.whole_or_streamed(feed.normal())
    answer.set_etag(tag)
    return answer


def _wanted(call: Call, query: Query, body: dict[str, Any]) -> Wanted:
    feed, style, descending = _feed(query), query.text("style"), query.says("descending")
    if style not in (None, "main_only", "all_docs"):
        raise BadRequest("Supported styles: main_only, all_docs")
    if query.text("seq_interval") is not None and not query.integer("seq_interval"):
        raise BadRequest("invalid_seq_interval")
    return Wanted(
        feed=feed,
        # Backwards always begins at the end, whatever `since` says.
        since=BEGINNING if descending else sequences.parsed(call.database, _since(call, query, feed)),
        limit=_limit(query),
        descending=descending,
        all_leaves=style == "all_docs",
        include_docs=query.says("include_docs"),
        conflicts=query.says("conflicts"),
        attachments=query.says("attachments"),
        heartbeat_s=_heartbeat_s(query, call.limits),
        timeout_s=_timeout_s(query, call.limits),
        filter=changes_filters.chosen(call, query, body),
    )


def _feed(query: Query) -> str:
    feed = query.text("feed")
    if feed is None:
        return "normal"
    if feed not in FEEDS:
        raise BadRequest(f"Supported `feed` types: {', '.join(FEEDS)}")
    return "continuous" if feed == "live" else feed


def _since(call: Call, query: Query, feed: str) -> str | None:
    """A browser that connects again to an event source says in a header how far it came."""
    again = call.request.headers.get("Last-Event-ID") if feed == "eventsource" else None
    return again or query.text("last-event-id") or query.text("since")


def _limit(query: Query) -> int | None:
    """None for a negative one: CouchDB takes that for no limit."""
    text = query.text("limit")
    if text is None or (text.startswith("-") and text[1:].isdigit()):
        return None
    if not (text.isascii() and text.isdigit()):
        raise BadRequest("`limit` must be a whole number.")
    return int(text[:15])


def _heartbeat_s(query: Query, limits: Limits) -> float | None:
    text = query.text("heartbeat") or "false"
    if text == "false":
        return None
    if text == "true":
        return limits.timeout_s
    if not (text.isascii() and text.isdigit()) or not int(text[:15]):
        raise BadRequest("The heartbeat value should be a positive integer (in milliseconds).")
    return max(int(text[:15]) / 1000, limits.heartbeat_s_min)


def _timeout_s(query: Query, limits: Limits) -> float:
    wanted = query.integer("timeout")
    if wanted is not None:
        return min(wanted / 1000, limits.feed_s_max)
    return limits.feed_s_max if "heartbeat" in query else limits.timeout_s


class _Feed:
    def __init__(
        self, store: Store, database: Database, limits: Limits, wanted: Wanted, *, pauses: bool
    ) -> None:
        self._store = store
        self._database = database
        self._limits = limits
        self._wanted = wanted
        self._pauses = pauses
        self._since = wanted.since  # all before this is told or filtered out
        self._left = wanted.limit
        self._pending = 0
        self._moved = True
        self._end = time.monotonic() + limits.feed_s_max

    def normal(self) -> Iterator[bytes]:
        return answers.array(HEAD, self._pages(), self._tail)

    def longpoll(self) -> Iterator[bytes | Pause]:
        """The head at once, a newline for each heartbeat, the rest when there are rows."""
        yield HEAD
        held = separator = b""
        for page in self._first_pages():
            if page is None:
                yield b"\n"
            elif isinstance(page, Pause):
                yield page
            elif page:
                if held:
                    yield held
                held, separator = separator + answers.SEPARATOR.join(page), answers.SEPARATOR
        yield held + self._tail()  # in one piece, as nearly every answer is short

    def eventsource(self) -> Iterator[bytes | Pause]:
        """As the EventSource of a browser reads it; `id` is what it sends back when it connects again."""
        for row in self._all_rows():
            if row is None:
                yield b"event: heartbeat\ndata: \n\n"
            elif isinstance(row, Pause):
                yield row
            else:
                yield b"data: %b\nid: %b\n\n" % (orjson.dumps(row), orjson.dumps(row["seq"]))
        yield b"\n"

    def continuous(self) -> Iterator[bytes | Pause]:
        for row in self._all_rows():
            if isinstance(row, Pause):
                yield row
            else:
                yield b"\n" if row is None else orjson.dumps(row) + b"\n"
        yield orjson.dumps({"last_seq": self._since, "pending": self._pending}) + b"\n"

    def _all_rows(self) -> Iterator[dict[str, Any] | Pause | None]:
        """The rows that are there and those to come; None for each heartbeat between."""
        try:
            self._moved = True
            while self._moved:
                yield from self._rows()
                if self._left == 0:
                    return
                yield from self._heartbeats()
        except NotFound:
            return  # the database is gone, and with it the feed

    def _tail(self) -> bytes:
        return b'\n],\n"last_seq":%b,"pending":%d}\n' % (orjson.dumps(self._since), self._pending)

    def _first_pages(self) -> Iterator[list[bytes] | Pause | None]:
        """The rows as soon as there are some; None for each heartbeat until then."""
        try:
            self._moved = True
            while self._moved:
                told = False
                for page in self._pages():
                    told = told or bool(page)
                    yield page
                if told:
                    return
                yield from self._heartbeats()
        except NotFound:
            return  # the database is gone, and with it the feed

    def _heartbeats(self) -> Iterator[Pause | None]:
        """Waits until something moves, which `_moved` tells, or the client's patience is over."""
        end = min(time.monotonic() + self._wanted.timeout_s, self._end)
        beat_s = self._wanted.heartbeat_s
        self._moved = False
        while not self._moved and (left := end - time.monotonic()) > 0:
            wait_s = left if beat_s is None else min(left, beat_s)
            if self._pauses:
                pause = Pause(wait_s, self._call_when_moved)
                yield pause
                self._moved = pause.woken and self._store.wait_for(self._database, self._since, 0)
            else:
                self._moved = self._store.wait_for(self._database, self._since, wait_s)
            if not self._moved and beat_s is not None:
                yield None

    def _call_when_moved(self, call: Callable[[], None]) -> Callable[[], None]:
        return self._store.call_when_moved(self._database, self._since, call)

    def _pages(self) -> Iterator[list[bytes]]:
        wanted = self._wanted
        is_plain = wanted.filter == changes_filters.NONE and not (wanted.conflicts or wanted.attachments)
        if is_plain and not wanted.descending and wanted.limit != 0:
            yield from self._pages_of_store()
        else:
            yield from answers.gathered(orjson.dumps(row) for row in self._rows())

    def _pages_of_store(self) -> Iterator[list[bytes]]:
        """Every change, as the store writes it."""
        database = writing_json(self._database)
        while self._left != 0:
            page = database.changes_json(
                since=self._since,
                limit=self._page_rows(),
                include_docs=self._wanted.include_docs,
                all_leaves=self._wanted.all_leaves,
            )
            self._since, self._pending = page.last_seq, page.pending
            if self._left is not None:
                self._left -= len(page.rows)
            yield page.rows
            if not page.more:
                return

    def _rows(self) -> Iterator[dict[str, Any]]:
        if self._wanted.descending:
            yield from self._descending_rows()
            return
        if self._wanted.limit == 0:
            self._count_pending()
            return
        while self._left != 0:
            page = self._database.changes(
                since=self._since,
                limit=self._page_rows(),
                include_docs=self._wanted.include_docs or self._wanted.filter.needs_doc,
                doc_ids=self._wanted.filter.doc_ids,
            )
            for change in page.rows:
                self._since = change.seq
                if self._accepts(change):
                    yield self._row(change)
                    if self._left == 0:
                        break
            self._pending = page.pending
            if self._left == 0:
                return
            self._since = page.last_seq
            if not page.rows:
                return

    def _count_pending(self) -> None:
        """CouchDB's replicator asks for no rows to learn how many there are, before any filter."""
        page = self._database.changes(since=self._since, limit=1)
        self._pending = len(page.rows) + page.pending

    def _page_rows(self) -> int:
        if self._wanted.attachments and self._wanted.include_docs:
            return PAGE_ROWS_WITH_ATTACHMENTS
        if self._left is None or self._wanted.filter.accepts is not None:
            return self._limits.page_rows
        return min(self._left, self._limits.page_rows)

    def _descending_rows(self) -> Iterator[dict[str, Any]]:
        info = self._database.info()
        self._since, self._pending = info["update_seq"], info["doc_count"] + info["doc_del_count"]
        changes = self._database.changes_backwards(
            limit=self._left if self._wanted.filter.accepts is None else None,
            include_docs=self._wanted.include_docs or self._wanted.filter.needs_doc,
            doc_ids=self._wanted.filter.doc_ids,
        )
        for change in changes:
            if self._left == 0:
                return
            self._since, self._pending = change.seq, max(0, self._pending - 1)
            if self._accepts(change):
                yield self._row(change)
        if self._left != 0:
            self._pending = 0

    def _accepts(self, change: Change) -> bool:
        accepts = self._wanted.filter.accepts
        return accepts is None or accepts(change)

    def _row(self, change: Change) -> dict[str, Any]:
        if self._left is not None:
            self._left -= 1
        row = change_row(change, include_docs=self._wanted.include_docs, all_leaves=self._wanted.all_leaves)
        if self._wanted.include_docs:
            row["doc"] = self._doc(change)
        return row

    def _doc(self, change: Change) -> dict[str, Any] | None:
        if not (self._wanted.conflicts or self._wanted.attachments):
            return change.doc
        return self._database.get(
            change.id,
            rev=change.leaves[0].rev,
            conflicts=self._wanted.conflicts,
            attachments=self._wanted.attachments,
        )
