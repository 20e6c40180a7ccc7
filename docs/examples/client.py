"""A client of Gridbook's API in one file, to be copied: it needs nothing but `requests`.

export GRIDBOOK_URL=https://gridbook.example.cn GRIDBOOK_TOKEN=…
python client.py week --indicators A3 C1       the last seven days as a table
python client.py records --form household_visit --status quarantined
python client.py waiting --status returned     what waits for a correction
python client.py csv household_visit --to visits.csv
python client.py freeze 2020-02-21             the day's bulletin; it cannot be undone
python client.py bulletin 2020-001 --as pdf --to bulletin.pdf
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import requests

BEIJING = timezone(timedelta(hours=8))
TIMEOUT_S = (10, 60)  # to connect, and between two pieces of an answer
KNOWN_MAX = 32  # answers that are kept to be asked for by their ETag


class Problem(Exception):
    """What the server says when it refuses; `code` is for programs, the text for people."""

    def __init__(self, answer: requests.Response) -> None:
        try:
            told = answer.json()
        except ValueError:
            told = {}
        self.status: int = answer.status_code
        self.code: str = told.get("code", "")
        super().__init__(f"{told.get('title', answer.reason)}: {told.get('detail', answer.url)}")


class BrokenOff(Exception):
    """A download ended before the file was whole; nothing of it was kept."""


class Client:
    """Calls raise Problem when the server refuses, and requests' own errors when it cannot be reached."""

    def __init__(self, url: str, token: str, language: str = "en") -> None:
        self._root = f"{url.rstrip('/')}/api/v1"
        self._session = requests.Session()
        self._session.headers.update({"Authorization": f"Bearer {token}", "Accept-Language": language})
        self._known: OrderedDict[str, tuple[str, Any]] = OrderedDict()

    def get(self, path: str, **query: Any) -> Any:
        """An answer's JSON. One of the last KNOWN_MAX that has not changed since is not sent again."""
        url = str(requests.Request("GET", f"{self._root}/{path}", params=_given(query)).prepare().url)
        tag, known = self._known.get(url, ("", None))
        answer = self._session.get(url, headers={"If-None-Match": tag} if tag else {}, timeout=TIMEOUT_S)
        if answer.status_code != 304:
            known = _checked(answer).json()
        if "ETag" in answer.headers:
            self._known[url] = answer.headers["ETag"], known
            self._known.move_to_end(url)
            while len(self._known) > KNOWN_MAX:
                self._known.popitem(last=False)
        return known

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """The JSON of the answer to a change."""
        return _checked(self._session.post(f"{self._root}/{path}", json=body, timeout=TIMEOUT_S)).json()

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list, however many pages it has. None of them is kept."""
        cursor = None
        while True:
            asked = _given(query | {"cursor": cursor})
            answer = self._session.get(f"{self._root}/{path}", params=asked, timeout=TIMEOUT_S)
            page = _checked(answer).json()
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def indicators(self) -> dict[str, dict[str, Any]]:
        """Id → {name: {zh, en}, unit: {zh, en}, …}."""
        return {each["id"]: each for each in self.get("indicators")["items"]}

    def figures(self, area: str | None = None, day: date | None = None) -> dict[str, dict[str, Any]]:
        """Indicator id → {value, …} of an area (one's own) on a day (today)."""
        found: dict[str, dict[str, Any]] = self.get("figures", area=area, day=day)["figures"]
        return found

    def trend(
        self, indicator: str, first: date, last: date, area: str | None = None
    ) -> dict[str, float | None]:
        """Day as YYYY-MM-DD → value; None where nothing was due."""
        query = {"from": first, "to": last, "area": area}
        found = self.get(f"indicators/{indicator}/trend", **query)["items"]
        return {each["day"]: each["value"] for each in found}

    def week(
        self, indicators: Sequence[str], last: date | None = None, area: str | None = None
    ) -> dict[str, dict[str, float | None]]:
        """Indicator id → its trend over the seven days up to `last` (today)."""
        last = last or datetime.now(BEIJING).date()
        return {each: self.trend(each, last - timedelta(days=6), last, area) for each in indicators}

    def records(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """Records, newest first: form, status, area and what else `GET /records` takes."""
        return self.pages("records", limit=500, **filters)

    def waiting(self, status: str = "quarantined", **filters: Any) -> Iterator[dict[str, Any]]:
        """Records that wait for a correction: `quarantined`, or `returned` by staff with a comment."""
        return self.pages("quarantine", limit=500, status=status, **filters)

    def bulletins(self) -> list[dict[str, Any]]:
        """The heads of every frozen bulletin, newest first."""
        found: list[dict[str, Any]] = self.get("bulletins")["items"]
        return found

    def bulletin(self, number: str, day: date | None = None) -> dict[str, Any]:
        """{bulletin, content, damage, late}; `preview` with a day has that day's provisional content."""
        found: dict[str, Any] = self.get(f"bulletins/{number}", day=day)
        return found

    def freeze(self, day: date) -> dict[str, Any]:
        """The head of the day's bulletin, frozen as of its cut-off. It cannot be undone."""
        head: dict[str, Any] = self.post("bulletins", {"day": day.isoformat()})
        return head

    def save_bulletin(self, number: str, kind: str, to: Path) -> int:
        """Bytes of a bulletin as `pdf`, `xlsx` or `text`."""
        return self._save(f"bulletins/{number}/{kind}", to)

    def save_csv(self, form: str, to: Path, **filters: Any) -> int:
        """Bytes of the form's CSV."""
        return self._save(f"export/{form}.csv", to, **filters)

    def _save(self, path: str, to: Path, **query: Any) -> int:
        """The file appears under its name when it is whole. Raises BrokenOff, and then there is none."""
        part, asked = to.with_name(f"{to.name}.part"), _given(query)
        with self._session.get(
            f"{self._root}/{path}", params=asked, stream=True, timeout=TIMEOUT_S
        ) as answer:
            _checked(answer)
            try:
                with part.open("wb") as file:
                    size = sum(file.write(piece) for piece in answer.iter_content(1 << 16))
                part.replace(to)
            except requests.RequestException as error:
                raise BrokenOff(f"{to}: the download broke off, nothing was kept ({error})") from error
            finally:
                part.unlink(missing_ok=True)
        return size


def _checked(answer: requests.Response) -> requests.Response:
    if not answer.ok:
        raise Problem(answer)
    return answer


def _given(query: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in query.items() if value is not None}


def _week(client: Client, asked: argparse.Namespace) -> None:
    names, week = client.indicators(), client.week(asked.indicators, asked.last, asked.area)
    days = list(next(iter(week.values())))
    print("\t".join(["", *(day[5:] for day in days)]))
    for indicator, values in week.items():
        told = ["—" if values[day] is None else f"{values[day]:g}" for day in days]
        print("\t".join([f"{indicator} {names[indicator]['name']['en']}", *told]))


def _records(client: Client, asked: argparse.Namespace) -> None:
    for record in client.records(form=asked.form, status=asked.status, area=asked.area):
        print(json.dumps(record, ensure_ascii=False))


def _waiting(client: Client, asked: argparse.Namespace) -> None:
    for record in client.waiting(asked.status, area=asked.area):
        print(json.dumps(record, ensure_ascii=False))


def _freeze(client: Client, asked: argparse.Namespace) -> None:
    head = client.freeze(asked.day)
    print(f"{head['number']}: {head['day']} as of {head['as_of']}, digest {head['digest']}")


def _bulletin(client: Client, asked: argparse.Namespace) -> None:
    print(f"{asked.to}: {client.save_bulletin(asked.number, asked.kind, asked.to)} bytes")


def _csv(client: Client, asked: argparse.Namespace) -> None:
    size = client.save_csv(asked.form, asked.to, area=asked.area)
    print(f"{asked.to}: {size} bytes")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Ask a Gridbook server.")
    parser.add_argument("--area", help="a code of /areas; your own without it")
    calls = parser.add_subparsers(required=True)
    week = calls.add_parser("week", help="the last seven days as a table")
    week.add_argument("--indicators", nargs="+", default=["A3", "A5", "C1"])
    week.add_argument("--last", type=date.fromisoformat, help="the last of the seven days; today without it")
    week.set_defaults(call=_week)
    records = calls.add_parser("records", help="records as JSON, a line each")
    records.add_argument("--form")
    records.add_argument("--status")
    records.set_defaults(call=_records)
    waiting = calls.add_parser("waiting", help="records that wait for a correction, a line each")
    waiting.add_argument("--status", default="quarantined", choices=["quarantined", "returned"])
    waiting.set_defaults(call=_waiting)
    freeze = calls.add_parser("freeze", help="the day's bulletin, once and for all")
    freeze.add_argument("day", type=date.fromisoformat)
    freeze.set_defaults(call=_freeze)
    bulletin = calls.add_parser("bulletin", help="a frozen bulletin as a file")
    bulletin.add_argument("number", help="such as 2020-001")
    bulletin.add_argument("--as", dest="kind", default="pdf", choices=["pdf", "xlsx", "text"])
    bulletin.add_argument("--to", type=Path, required=True)
    bulletin.set_defaults(call=_bulletin)
    csv = calls.add_parser("csv", help="every record of a form")
    csv.add_argument("form")
    csv.add_argument("--to", type=Path, required=True)
    csv.set_defaults(call=_csv)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 with one line of what went wrong."""
    asked = _parser().parse_args(arguments)
    missing = [name for name in ("GRIDBOOK_URL", "GRIDBOOK_TOKEN") if not os.environ.get(name)]
    if missing:
        print(f"Set {' and '.join(missing)} in the environment.", file=sys.stderr)
        return 1
    try:
        asked.call(Client(os.environ["GRIDBOOK_URL"], os.environ["GRIDBOOK_TOKEN"]), asked)
    except (Problem, BrokenOff, requests.RequestException, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
