"""Rows by id, page by page: of all documents, of the design documents, of the local ones.

Each page is read by itself: memory stays flat, and a write in between may or may not be seen.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Protocol

import orjson

from sync.rendering import AllDocsJson, writing_json
from sync.store import Database, Doc, NotFound


@dataclass(frozen=True, slots=True)
class Asked:
    """Rows between two ids. `page_rows` are read at once."""

    startkey: str | None
    endkey: str | None
    inclusive_end: bool
    descending: bool
    skip: int
    limit: int | None
    include_docs: bool
    conflicts: bool
    attachments: bool
    page_rows: int

    def within(self, prefix: str) -> Asked | None:
        """The part of it that has ids with `prefix`, which ends with a slash; None if there is none."""
        after = prefix[:-1] + "0"  # the character behind the slash
        low, high = (self.endkey, self.startkey) if self.descending else (self.startkey, self.endkey)
        if (low is not None and low >= after) or (high is not None and high < prefix):
            return None
        ends_within = high is not None and high < after
        low, high = max(low or prefix, prefix), high if ends_within else after
        if self.descending:
            is_inclusive = self.inclusive_end or self.endkey != low
            return replace(self, startkey=high, endkey=low, inclusive_end=is_inclusive)
        return replace(self, startkey=low, endkey=high, inclusive_end=self.inclusive_end and ends_within)


class IdPages(Protocol):
    """There is always a first page, which tells `total_rows` and `offset`."""

    def of_range(self, database: Database, asked: Asked) -> Iterator[AllDocsJson]: ...

    def of_keys(self, database: Database, keys: Sequence[str], asked: Asked) -> Iterator[AllDocsJson]:
        """Of `asked` only what it says about documents counts."""


class AllDocs:
    def of_range(self, database: Database, asked: Asked) -> Iterator[AllDocsJson]:
        writer, after, skip = writing_json(database), None, asked.skip
        left = sys.maxsize if asked.limit is None else asked.limit
        while True:
            page = writer.all_docs_json(
                startkey=asked.startkey,
                endkey=asked.endkey,
                inclusive_end=asked.inclusive_end,
                descending=asked.descending,
                after=after,
                skip=skip,
                limit=min(left, asked.page_rows),
                include_docs=asked.include_docs,
                conflicts=asked.conflicts,
                attachments=asked.attachments,
            )
            yield page
            left, after, skip = left - len(page.rows), page.last_id, 0
            if not page.more or left == 0:
                return

    def of_keys(self, database: Database, keys: Sequence[str], asked: Asked) -> Iterator[AllDocsJson]:
        writer, done = writing_json(database), 0
        while True:
            page = writer.keys_json(
                keys[done : done + asked.page_rows],
                include_docs=asked.include_docs,
                conflicts=asked.conflicts,
                attachments=asked.attachments,
            )
            yield page
            done += len(page.rows)
            if done >= len(keys):
                return


class DesignDocs:
    PREFIX = "_design/"

    def of_range(self, database: Database, asked: Asked) -> Iterator[AllDocsJson]:
        total, before = self._counted(database, asked.startkey)
        offset = total if asked.descending else min(before + asked.skip, total)
        within = asked.within(self.PREFIX)
        pages = ALL_DOCS.of_range(database, within) if within else iter([AllDocsJson([], 0)])
        return (replace(page, total_rows=total, offset=offset) for page in pages)

    def of_keys(self, database: Database, keys: Sequence[str], asked: Asked) -> Iterator[AllDocsJson]:
        named, total = [key for key in keys if key.startswith(self.PREFIX)], self._counted(database, None)[0]
        return (replace(page, total_rows=total) for page in ALL_DOCS.of_keys(database, named, asked))

    def _counted(self, database: Database, key: str | None) -> tuple[int, int]:
        """How many there are, and how many have ids before `key`."""
        everything = Asked(None, None, True, False, 0, None, False, False, False, page_rows=500)
        within = everything.within(self.PREFIX)
        assert within is not None  # noqa: S101
        pages = ALL_DOCS.of_range(database, within)
        ids = (orjson.loads(row)["id"] for page in pages for row in page.rows)
        total = before = 0
        for doc_id in ids:
            total += 1
            before += key is not None and doc_id < key
        return total, before


class LocalDocs:
    """Nobody counts them."""

    PREFIX = "_local/"

    def of_range(self, database: Database, asked: Asked) -> Iterator[AllDocsJson]:
        docs = chain.from_iterable(self._pages(database, asked))
        return chain([NO_ROWS], (self._page(doc, asked) for doc in islice(docs, asked.limit)))

    def _pages(self, database: Database, asked: Asked) -> Iterator[list[Doc]]:
        within, after = asked.within(self.PREFIX), None
        if within is None:
            return
        while True:
            found = database.local_docs(
                startkey=self._below(within.startkey) if after is None else after,
                endkey=self._below(within.endkey),
                inclusive_end=within.inclusive_end,
                descending=within.descending,
                skip=within.skip if after is None else 0,
                limit=asked.page_rows + 1,  # the last of the page before comes again, if it is still there
            )
            fresh = [doc for doc in found if doc["_id"].removeprefix(self.PREFIX) != after]
            if not fresh:
                return
            yield fresh
            after = fresh[-1]["_id"].removeprefix(self.PREFIX)

    def _below(self, key: str | None) -> str | None:
        return key.removeprefix(self.PREFIX) if key is not None and key.startswith(self.PREFIX) else None

    def of_keys(self, database: Database, keys: Sequence[str], asked: Asked) -> Iterator[AllDocsJson]:
        named = [key for key in keys if key.startswith(self.PREFIX)]
        return chain([NO_ROWS], (self._page_of_key(database, key, asked) for key in named))

    def _page_of_key(self, database: Database, key: str, asked: Asked) -> AllDocsJson:
        try:
            doc = database.get_local(key.removeprefix(self.PREFIX))
        except NotFound:
            return AllDocsJson([orjson.dumps({"key": key, "error": "not_found"})], None)
        return self._page(doc, asked)

    def _page(self, doc: Doc, asked: Asked) -> AllDocsJson:
        row = {"id": doc["_id"], "key": doc["_id"], "value": {"rev": doc["_rev"]}}
        return AllDocsJson([orjson.dumps(row | {"doc": doc} if asked.include_docs else row)], None)


NO_ROWS = AllDocsJson([], None)
ALL_DOCS, DESIGN_DOCS, LOCAL_DOCS = AllDocs(), DesignDocs(), LocalDocs()
