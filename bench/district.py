"""A whole district's fortnight: 160,000 households a day, disinfections and deliveries in proportion.

    python -m bench.district DATA [--days 14] [--share 1.0] [--seed 1] [--url http://127.0.0.1:8000]

Fills the data folder DATA once: forms, the demo district grown to 160,000 households, one phone for 55 of
them, and the phones' records. They go straight into the store; with --url, through the sync door of the
server that runs on DATA. The same seed gives the same records, but for the phones' ids. Intake is not started
here: `flask intake once`, or the server's own.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import requests

from bench.fortnight import HOUSEHOLDS_A_PHONE, LATE_DAYS, Day, Doc, Village, records_of
from server.app import Gridbook, open_gridbook
from server.forms.publish import publish
from server.people import devices
from server.register.demo import load as demo
from server.settings import Settings
from sync.store import Database

HOUSEHOLDS = 160_000
BEIJING = timezone(timedelta(hours=8))
PHONES_AT_ONCE = 16
SETTINGS_ID = "settings:district"

Push = Callable[[str, str, list[Doc]], None]  # village, phone, documents


def open_data(folder: Path, **environ: str) -> Gridbook:
    return open_gridbook(Settings.from_environ({"GRIDBOOK_DATA": str(folder), **environ}))


def prepare(
    gridbook: Gridbook, share: float, days: int, only: int | None = None
) -> tuple[list[Village], dict[str, str]]:
    """The district and its phones: the villages, and the token of each phone. With `only`, of so many
    villages; the others' registers are taken away, so that a part of a district has them in proportion."""
    publish(gridbook.store, gridbook.settings.forms)
    demo.load(gridbook)
    # All records arrive now: what was filled a fortnight ago is not late for that.
    catalogue = gridbook.store.open("catalogue")
    settings = catalogue.get(SETTINGS_ID)
    wanted = {"backlog_days": days + LATE_DAYS, "late_entry_days": days}
    if settings | wanted != settings:
        catalogue.put(settings | wanted, writer="server")
    names = [name for name in gridbook.store.names() if name.startswith("register-")]
    kept = set(names[:: max(1, len(names) // only)][:only] if only else names)
    for name in set(names) - kept:
        gridbook.store.delete(name)
    villages = [
        _village(gridbook, name, at, len(names), share) for at, name in enumerate(names) if name in kept
    ]
    return villages, _enrol(gridbook, villages)


def _village(gridbook: Gridbook, register: str, at: int, of: int, share: float) -> Village:
    database = gridbook.store.open(register)
    code = register.removeprefix("register-")
    total = round(HOUSEHOLDS * share)
    wanted = max(1, total * (at + 1) // of - total * at // of)
    households = list(database.documents("household:"))
    households += _more(database, code, households[0], len(households), wanted)
    households = sorted(households[:wanted], key=lambda household: str(household.get("grid_code")))
    kinds = {kind: list(database.documents(f"{kind}:")) for kind in ("point", "roster", "filler")}
    return Village(
        code, households, _part(kinds["point"], share), _part(kinds["roster"], share), kinds["filler"]
    )


def _part(entries: list[Doc], share: float) -> list[Doc]:
    return entries[: max(1, round(len(entries) * min(1.0, share)))]


def _more(database: Database, code: str, like: Doc, there: int, wanted: int) -> list[Doc]:
    """Households beyond those of the demo."""
    made = []
    for number in range(there + 1, wanted + 1):
        name = f"{code}-{number:03}"
        door = f"{number}号"
        shared = {
            key: like[key] for key in ("type", "village_code", "head_name", "head_search", "active_from")
        }
        made.append({"_id": f"household:{name}", **shared, "household_id": name, "residents": 1 + number % 5})
        made[-1] |= {"grid_code": f"{code}{1 + number % 2:02}", "door_no": door, "address": door}
    if made:
        database.bulk_docs(made, writer="server")
    return made


def _enrol(gridbook: Gridbook, villages: list[Village]) -> dict[str, str]:
    tokens: dict[str, str] = {}
    with gridbook.people.engine.begin() as connection:
        for village in villages:
            for number in range(1 + len(village.households) // HOUSEHOLDS_A_PHONE):
                device, token = devices.add(
                    gridbook.people,
                    connection,
                    label=f"bench {number}",
                    villages=[village.code],
                    filler_ids=[],
                )
                village.phones.append(device.device_id)
                tokens[device.device_id] = token
    return tokens


def yesterday() -> date:
    """The last day whose every hour has passed."""
    return datetime.now(BEIJING).date() - timedelta(days=1)


def pushes(villages: list[Village], days: int, seed: int, last: date) -> Iterator[tuple[str, str, list[Doc]]]:
    for number in range(days):
        day = Day(last - timedelta(days=days - 1 - number), number, days)
        for village in villages:
            for phone, docs in records_of(village, day, seed).items():
                if docs:
                    yield village.code, phone, docs


def into_store(gridbook: Gridbook) -> Push:
    def push(village: str, phone: str, docs: list[Doc]) -> None:
        inbox = gridbook.store.ensure(f"inbox-{village}")
        inbox.bulk_docs(docs, new_edits=False, writer=f"device:{phone}")

    return push


def through_door(url: str, tokens: dict[str, str]) -> Push:
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=PHONES_AT_ONCE))

    def push(village: str, phone: str, docs: list[Doc]) -> None:
        answer = session.post(
            f"{url}/sync/inbox-{village}/_bulk_docs",
            json={"docs": docs, "new_edits": False},
            headers={"Authorization": f"Bearer {tokens[phone]}"},
            timeout=60,
        )
        answer.raise_for_status()
        refused = [row for row in answer.json() if "error" in row]
        assert not refused, refused[:3]

    return push


def load(
    gridbook: Gridbook,
    *,
    days: int,
    share: float,
    seed: int,
    url: str | None = None,
    last: date | None = None,
) -> int:
    """Returns how many documents were pushed, those that were pushed twice included."""
    villages, tokens = prepare(gridbook, share, days)
    last = last or yesterday()
    feed = pushes(villages, days, seed, last)
    if url is None:
        push, count = into_store(gridbook), 0
        for village, phone, docs in feed:
            push(village, phone, docs)
            count += len(docs)
        return count
    push = through_door(url, tokens)
    with ThreadPoolExecutor(PHONES_AT_ONCE) as pool:
        return sum(pool.map(lambda one: (push(*one), len(one[2]))[1], feed))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--share", type=float, default=1.0, help="of 160,000 households")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--url", help="of the server that runs on DATA")
    given: dict[str, Any] = vars(parser.parse_args())
    gridbook = open_data(given.pop("data"))
    start = time.perf_counter()
    count = load(gridbook, **given)
    took = time.perf_counter() - start
    print(f"{count} documents in {took:.0f} s, {count / took:.0f}/s")
    gridbook.store.close()


if __name__ == "__main__":
    main()
