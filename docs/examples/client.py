"""A client of Gridbook's API in one file, to be copied: it needs nothing but `requests`.

export GRIDBOOK_URL=https://gridbook.example.cn GRIDBOOK_TOKEN=…
python client.py week --indicators A3 C1       the last seven days as a table
python client.py records --form household_visit --status quarantined
python client.py csv household_visit --to visits.csv
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import requests

BEIJING = timezone(timedelta(hours=8))
TIMEOUT_S = (10, 60)  # to connect, and between two pieces of an answer


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


class Client:
    """Calls raise Problem when the server refuses, and requests' own errors when it cannot be reached."""

    def __init__(self, url: str, token: str, language: str = "en") -> None:
        self._root = f"{url.rstrip('/')}/api/v1"
        self._session = requests.Session()
        self._session.headers.update({"Authorization": f"Bearer {token}", "Accept-Language": language})
        self._known: dict[str, tuple[str, Any]] = {}

    def get(self, path: str, **query: Any) -> Any:
        """An answer's JSON. One that has not changed since it was last asked for is not sent again."""
        asked = requests.Request("GET", f"{self._root}/{path}", params=_given(query))
        request = self._session.prepare_request(asked)
        tag, known = self._known.get(str(request.url), ("", None))
        if tag:
            request.headers["If-None-Match"] = tag
        settings = self._session.merge_environment_settings(request.url, {}, None, None, None)
        answer = self._session.send(request, timeout=TIMEOUT_S, **settings)
        if answer.status_code == 304:
            return known
        if not answer.ok:
            raise Problem(answer)
        if "ETag" in answer.headers:
            self._known[str(request.url)] = answer.headers["ETag"], answer.json()
        return answer.json()

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list, however many pages it has."""
        cursor = None
        while True:
            page = self.get(path, **query, cursor=cursor)
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

    def save_csv(self, form: str, to: Path, **filters: Any) -> int:
        """Bytes of the form's CSV. The file appears under its name when it is whole."""
        part, size = to.with_name(f"{to.name}.part"), 0
        address = f"{self._root}/export/{form}.csv"
        with self._session.get(address, params=_given(filters), stream=True, timeout=TIMEOUT_S) as answer:
            if not answer.ok:
                raise Problem(answer)
            with part.open("wb") as file:
                for piece in answer.iter_content(1 << 16):
                    size += file.write(piece)
        part.replace(to)
        return size


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


def _csv(client: Client, asked: argparse.Namespace) -> None:
    size = client.save_csv(asked.form, asked.to, area=asked.area)
    print(f"{asked.to}: {size} bytes")


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 with one line of what went wrong."""
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
    csv = calls.add_parser("csv", help="every record of a form")
    csv.add_argument("form")
    csv.add_argument("--to", type=Path, required=True)
    csv.set_defaults(call=_csv)
    asked = parser.parse_args(arguments)
    try:
        client = Client(os.environ["GRIDBOOK_URL"], os.environ["GRIDBOOK_TOKEN"])
        asked.call(client, asked)
    except KeyError as missing:
        print(f"Set {missing} in the environment.", file=sys.stderr)
    except (Problem, requests.RequestException, OSError) as error:
        print(error, file=sys.stderr)
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
