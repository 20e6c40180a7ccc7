"""Lists in the document store: the database `lists`, written once and then only added to.

    list:<list_id>                 the head of a list, with two attachments: the file as it came, and its rows
    decision:<list_id>:<row>:<n>   what somebody decided about a row; the next one has the next n
    matching:<list_id>             who each row may be: made anew at every matching, the only thing replaced
    answer:<list_id>:<n>           an answer as it went back: the file, as of when, what it counted

A list cannot be derived from anything else, so it is among the documents and with them in every backup. Two
clerks who decide about one row at once want the same n, and the store lets only one have it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from server.lists.matching import Candidate
from server.lists.outcomes import Decision
from server.lists.refusals import Refused
from server.lists.rows import ListRow, Remark
from sync.store import Conflict, NotFound, Store, StoreError

DATABASE = "lists"
SOURCE, ROWS, CANDIDATES, FILE = "source", "rows.json", "candidates.json", "answer"
DECISIONS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class NameList:
    """`columns` and `results` name columns of the sheet from 0, `added` those results for which the list has
    no column; `names` is how many rows are to be answered;
    `imported_by` is {staff_id, name}; `digest` is the file's SHA-256; `job` is the one that made it."""

    list_id: str
    template: str
    title: str
    file_name: str
    digest: str
    sheet: str
    heads: Sequence[int]
    columns: Mapping[str, int]
    results: Mapping[str, int]
    added: Sequence[str]
    names: int
    imported_at: str
    imported_by: Mapping[str, str]
    supersedes: str | None = None
    superseded_by: str | None = None
    job: str = ""

    @property
    def suffix(self) -> str:
        return "." + self.file_name.rpartition(".")[2].lower()


@dataclass(frozen=True, slots=True)
class Answer:
    """`as_of` says up to when decisions count; `counts` are the outcomes and the open rows."""

    list_id: str
    n: int
    as_of: str
    made_at: str
    made_by: Mapping[str, str]
    counts: Mapping[str, int]
    digest: str
    reason: str
    job: str = ""


def every(store: Store) -> list[NameList]:
    """All lists, oldest first."""
    try:
        documents = list(store.open(DATABASE).documents("list:"))
    except NotFound:
        return []
    after = {doc["supersedes"]: doc["list_id"] for doc in documents if doc.get("supersedes")}
    return [_list(doc, after.get(doc["list_id"])) for doc in documents]


def _list(doc: Mapping[str, Any], superseded_by: str | None) -> NameList:
    fields = {name: doc[name] for name in NameList.__slots__ if name in doc}
    return NameList(**fields, superseded_by=superseded_by)


def one(store: Store, list_id: str) -> NameList:
    """Raises Refused."""
    found = next((each for each in every(store) if each.list_id == list_id), None)
    if found is None:
        raise Refused("list-unknown", list=list_id[:40])
    return found


def keep(
    store: Store, found: Mapping[str, Any], source: bytes, rows: Sequence[ListRow], year: int
) -> NameList:
    """Write a list, whole, under the next number of the year. Raises Refused when its file is a list
    already: of two imports at once that want one number the second looks again."""
    attachments = {
        SOURCE: _attachment(source, "application/octet-stream"),
        ROWS: _attachment(orjson.dumps(list(rows)), "application/json"),
    }
    database = store.ensure(DATABASE)
    writer = f"staff:{found['imported_by']['staff_id']}"
    while True:
        there = every(store)
        if same := next((each for each in there if each.digest == found["digest"]), None):
            raise already(same)
        taken = [each.list_id for each in there if each.list_id.startswith(f"{year}-")]
        list_id = f"{year}-{max((int(each[5:]) for each in taken), default=0) + 1:04}"
        document = {"_id": f"list:{list_id}", "type": "list", "list_id": list_id, **found}
        try:
            database.put({**document, "_attachments": attachments}, writer=writer)
        except Conflict:
            continue
        return _list(document, None)


def already(same: NameList) -> Refused:
    return Refused("list-exists", list=same.list_id, at=same.imported_at[:10])


def _attachment(data: bytes, content_type: str) -> dict[str, str]:
    return {"content_type": content_type, "data": base64.b64encode(data).decode()}


def source(store: Store, list_id: str) -> bytes:
    return store.open(DATABASE).attachment(f"list:{list_id}", SOURCE).data


def rows(store: Store, list_id: str) -> list[ListRow]:
    found = orjson.loads(store.open(DATABASE).attachment(f"list:{list_id}", ROWS).data)
    return [
        ListRow(each["number"], each["values"], [Remark(**remark) for remark in each["remarks"]])
        for each in found
    ]


# Decisions


def decisions(store: Store, list_id: str, row: int | None = None) -> list[Decision]:
    """Of the list, or of one row; the earlier ones of a row first."""
    prefix = f"decision:{list_id}:" + (f"{row:07}:" if row is not None else "")
    try:
        return [_decision(doc) for doc in store.open(DATABASE).documents(prefix)]
    except NotFound:
        return []


def _decision(doc: Mapping[str, Any]) -> Decision:
    return Decision(**{name: doc[name] for name in Decision.__slots__ if name in doc})


def add(store: Store, list_id: str, made: Sequence[Decision], writer: str) -> list[Decision]:
    """Write decisions; returns those that somebody else's came before."""
    documents = [
        {"_id": f"decision:{list_id}:{each.row:07}:{each.n:04}", "type": "list_decision", "list_id": list_id,
         **{name: value for name, value in asdict(each).items() if value not in (None, "", ())}}
        for each in made
    ]  # fmt: skip
    database = store.ensure(DATABASE)
    late: list[Decision] = []
    for start in range(0, len(documents), DECISIONS_AT_ONCE):
        answered = database.bulk_docs(documents[start : start + DECISIONS_AT_ONCE], writer=writer)
        late += [made[start + at] for at, row in enumerate(answered) if "error" in row]
    return late


# Candidates


def keep_candidates(
    store: Store, list_id: str, found: Mapping[int, Sequence[Candidate]], matched_at: str
) -> None:
    database = store.ensure(DATABASE)
    body = {str(row): [[each.points, each.key, each.reasons] for each in some] for row, some in found.items()}
    document: dict[str, Any] = {
        "_id": f"matching:{list_id}",
        "type": "list_matching",
        "list_id": list_id,
        "matched_at": matched_at,
        "_attachments": {CANDIDATES: _attachment(orjson.dumps(body), "application/json")},
    }
    while True:
        try:
            rev = {"_rev": database.get(document["_id"])["_rev"]}
        except NotFound:
            rev = {}
        try:
            database.put({**document, **rev}, writer="server")
            return
        except Conflict:
            continue


def candidates(store: Store, list_id: str) -> tuple[dict[int, list[Candidate]], str]:
    """By row, and when they were looked for; "" when never."""
    try:
        database = store.open(DATABASE)
        matched_at = database.get(f"matching:{list_id}")["matched_at"]
        body = orjson.loads(database.attachment(f"matching:{list_id}", CANDIDATES).data)
    except StoreError:
        return {}, ""
    return {
        int(row): [Candidate(points, key, tuple(reasons)) for points, key, reasons in some]
        for row, some in body.items()
    }, matched_at


# Answers


def answers(store: Store, list_id: str) -> list[Answer]:
    try:
        return [_answer(doc) for doc in store.open(DATABASE).documents(f"answer:{list_id}:")]
    except NotFound:
        return []


def _answer(doc: Mapping[str, Any]) -> Answer:
    return Answer(**{name: doc[name] for name in Answer.__slots__ if name in doc})


def keep_answer(store: Store, made: Mapping[str, Any], data: bytes) -> Answer:
    """Under the next number of its list."""
    list_id = made["list_id"]
    writer = f"staff:{made['made_by']['staff_id']}"
    while True:
        n = max((each.n for each in answers(store, list_id)), default=0) + 1
        document = {"_id": f"answer:{list_id}:{n:04}", "type": "list_answer", "n": n, **made}
        attachments = {FILE: _attachment(data, "application/octet-stream")}
        try:
            store.ensure(DATABASE).put({**document, "_attachments": attachments}, writer=writer)
        except Conflict:
            continue
        return _answer(document)


def answer_file(store: Store, list_id: str, n: int) -> bytes:
    """Raises Refused."""
    try:
        return store.open(DATABASE).attachment(f"answer:{list_id}:{n:04}", FILE).data
    except StoreError:
        raise Refused("list-answer-unknown", list=list_id[:40], answer=str(n)) from None


def numbers(found: Iterable[ListRow]) -> list[int]:
    return [row.number for row in found]
