"""The store's changes as batches, in the order in which they have to be handled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from server.intake import register_changes, verdicts
from server.intake.batches import Batch
from sync.store import BEGINNING, Change, ChangesPage, Database, NotFound, Seq, Store

Own = dict[tuple[str, str], str]  # entries that intake itself wrote: (db, document id) -> revision


def rank(db: str) -> int | None:
    """The order in which databases are followed; None for those that are not."""
    names = {"catalogue": 0, "office": 1}
    if db in names:
        return names[db]
    return 2 if db.startswith("register-") else 3 if db.startswith("inbox-") else None


def followed(names: Iterable[str]) -> list[str]:
    """Those of the databases that intake follows, in their order."""
    return sorted((name for name in names if rank(name) is not None), key=lambda name: (rank(name), name))


class Feed:
    """What intake wrote itself comes back in the changes: `own` says what, and loses what was met."""

    def __init__(self, store: Store, own: Own, batch_changes_max: int) -> None:
        self._store, self._own, self._batch_changes_max = store, own, batch_changes_max

    def batches(self, names: list[str], since: dict[str, Seq]) -> Iterator[Batch]:
        """Changes of several databases, up to `batch_changes_max` together; a database's changes stay in
        order."""
        batch = Batch()
        for name in names:
            for page in self._pages(name, since.get(name, BEGINNING)):
                batch.add(name, page)
                if batch.size >= self._batch_changes_max:
                    yield batch
                    batch = Batch()
        if batch.until:
            yield batch

    def _pages(self, name: str, since: Seq) -> Iterator[ChangesPage]:
        while True:
            try:
                database = self._store.open(name)
                page = self._page(database, name, since)
            except NotFound:
                return
            if page.last_seq == since:
                return
            since = page.last_seq
            yield page
            if not page.pending:
                return

    def _page(self, database: Database, name: str, since: Seq) -> ChangesPage:
        """A register's changes are mostly what intake wrote there: bodies are read of the others only."""
        limit = self._batch_changes_max
        if not name.startswith("register-"):
            return database.changes(since=since, limit=limit, include_docs=True, receipts=True)
        page = database.changes(since=since, limit=limit)
        wanted = [row for row in page.rows if self._is_news(name, row)]
        docs = verdicts.read(database, [row.id for row in wanted if not row.deleted])
        return replace(page, rows=[replace(row, doc=docs.get(row.id)) for row in wanted])

    def _is_news(self, name: str, row: Change) -> bool:
        if not register_changes.is_followed(row.id):
            return False
        return self._own.pop((name, row.id), None) != row.leaves[0].rev
