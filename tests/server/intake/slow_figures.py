"""The indicators, recomputed slowly from raw records, with nothing of the product: what each means, one
sentence of code each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any

BEIJING = timezone(timedelta(hours=8))
RANKS = {
    "met": 5,
    "phone_ok": 5,
    "moved": 4,
    "vacant": 4,
    "absent_known": 4,
    "appointment": 3,
    "refused": 2,
    "no_answer": 1,
}
RANKS["wrong_address"] = 0

Doc = Mapping[str, Any]


def effective(docs: Iterable[Doc], voided: Collection[str] = ()) -> list[Doc]:
    """All documents are acceptable. Of everything that hangs together by `supersedes` the last counts that
    none builds on, unless it withdraws the rest or staff `voided` it."""
    by_id = {doc["_id"]: doc for doc in docs}
    families: dict[str, list[Doc]] = {}
    for doc in by_id.values():
        top = doc
        while top.get("supersedes") in by_id:
            top = by_id[top["supersedes"]]
        families.setdefault(top.get("supersedes", top["_id"]), []).append(doc)
    counted = []
    for family in families.values():
        replaced = {doc.get("supersedes") for doc in family}
        last = max(
            (doc for doc in family if doc["_id"] not in replaced),
            key=lambda doc: (true_time(doc), doc["_id"]),
        )
        if not last.get("voided") and last["_id"] not in voided:
            counted.append(last)
    return counted


def true_time(doc: Doc) -> datetime:
    return datetime.fromisoformat(doc["captured_at"]) - timedelta(seconds=doc.get("clock_skew_s", 0))


def slow_figures(
    docs: Sequence[Doc],
    registers: Sequence[Doc],
    villages: set[str],
    day: str,
    voided: Collection[str] = (),
) -> dict[str, Any]:
    everywhere = effective(docs, voided)
    counted = [doc for doc in everywhere if doc["village_code"] in villages]
    listed = [doc for doc in registers if doc["village_code"] in villages and is_active(doc, day)]
    served = deliveries(counted, listed, day)
    return {
        **households(counted, listed, day),
        **points(counted, listed, day),
        **served,
        **quotients({"D8": (spent_on_food(counted, day), served["D2"])}),
        **persons(everywhere, villages, day),
        **quotients(quality(everywhere, counted, villages, [day])),
    }


BY_DAY = ("A2", "A2_visits", "A3", "A7_day", "A8_day", "B1", "B2", "B5", "B_fever", "C1", "C2", "C2'")
BY_DAY += ("C4_ethanol", "C6")


def slow_week(
    docs: Sequence[Doc],
    registers: Sequence[Doc],
    villages: set[str],
    day: str,
    voided: Collection[str] = (),
) -> dict[str, Any]:
    """Of the seven days that end with the day: each day counted by itself, and added up."""
    week = [(date.fromisoformat(day) - timedelta(days=ago)).isoformat() for ago in range(7)]
    daily = [slow_figures(docs, registers, villages, each, voided) for each in week]
    everywhere = effective(docs, voided)
    counted = [doc for doc in everywhere if doc["village_code"] in villages]
    means = quotients(quality(everywhere, counted, villages, week))
    return {**{name: sum(each[name] for each in daily) for name in BY_DAY}, **means}


def quotients(pairs: Mapping[str, tuple[float, float]]) -> dict[str, float | None]:
    return {name: round(above / below, 2) if below else None for name, (above, below) in pairs.items()}


def is_active(doc: Doc, day: str) -> bool:
    return doc.get("active_from", "") <= day <= doc.get("active_to", "9999")


def of_form(docs: Iterable[Doc], form_id: str) -> list[Doc]:
    return [doc for doc in docs if doc["form_id"] == form_id]


def households(counted: Sequence[Doc], listed: Sequence[Doc], day: str) -> dict[str, Any]:
    visits = sorted(
        of_form(counted, "household_visit"), key=lambda doc: (doc["work_date"], true_time(doc), doc["_id"])
    )
    homes = {(doc["village_code"], doc["household_id"]) for doc in listed if doc["type"] == "household"}

    def home(doc: Doc) -> tuple[str, str]:
        return (doc["village_code"], doc["answers"].get("household_id") or "new " + family_name(doc))

    homes |= {home(doc) for doc in visits if "household_id" not in doc["answers"] and doc["work_date"] <= day}
    today = group([doc for doc in visits if doc["work_date"] == day], home)
    so_far = {
        name: docs
        for name, docs in group([doc for doc in visits if doc["work_date"] <= day], home).items()
        if name in homes
    }

    def best(docs: Sequence[Doc]) -> str:
        top = max(RANKS[doc["answers"]["visit_result"]] for doc in docs)
        return [result for doc in docs if RANKS[result := doc["answers"]["visit_result"]] == top][-1]

    contacted = {
        name: [doc for doc in docs if RANKS[doc["answers"]["visit_result"]] == 5]
        for name, docs in so_far.items()
    }
    return {
        "A1": len(homes),
        "A2": len(today),
        "A2_visits": sum(map(len, today.values())),
        "A3": sum(best(docs) in ("met", "phone_ok") for docs in today.values()),
        "A4": sum(bool(docs) for docs in contacted.values()),
        "A5": sum(RANKS[best(docs)] >= 4 for docs in so_far.values()),
        "A6": len(homes) - sum(RANKS[best(docs)] >= 4 for docs in so_far.values()),
        "A7": sum(best(docs) == "refused" for docs in so_far.values()),
        "A7_day": sum(best(docs) == "refused" for docs in today.values()),
        "A8": sum(best(docs) == "vacant" for docs in so_far.values()),
        "A8_day": sum(best(docs) == "vacant" for docs in today.values()),
        "A9": sum(docs[-1]["answers"]["resident_count"] for docs in contacted.values() if docs),
        "B_fever": sum(
            any(doc["answers"].get("q_fever") == "yes" for doc in docs) for docs in today.values()
        ),
    }


def family_name(doc: Doc) -> str:
    """A household that is not on the register is one household through all corrections of its record."""
    return str(doc.get("supersedes", doc["_id"]))


def group(docs: Iterable[Doc], key: Callable[[Doc], Any]) -> dict[Any, list[Doc]]:
    result: dict[Any, list[Doc]] = {}
    for doc in docs:
        result.setdefault(key(doc), []).append(doc)
    return result


def points(counted: Sequence[Doc], listed: Sequence[Doc], day: str) -> dict[str, Any]:
    logs = of_form(counted, "disinfection_log")
    today = [doc for doc in logs if doc["work_date"] == day]
    by_point = group(today, lambda doc: (doc["village_code"], doc["answers"]["point_id"]))
    midnight = datetime.fromisoformat(day).replace(tzinfo=BEIJING) + timedelta(days=1)
    due = [doc for doc in listed if doc["type"] == "point"]

    def is_done(point: Doc) -> bool:
        ends = [
            datetime.fromisoformat(doc["answers"]["ended_at"]) - timedelta(seconds=doc.get("clock_skew_s", 0))
            for doc in logs
            if (doc["village_code"], doc["answers"]["point_id"]) == (point["village_code"], point["point_id"])
        ]
        return any(midnight - timedelta(hours=point["interval_h"]) <= end < midnight for end in ends)

    return {
        "C1": len(today),
        "C2": sum(doc["answers"]["area_m2"] for doc in today),
        "C2'": sum(max(doc["answers"]["area_m2"] for doc in docs) for docs in by_point.values()),
        "C3": len(due) - sum(map(is_done, due)),
        "C4_ethanol": sum(doc["answers"]["solution_l"] for doc in today),
        "C6": sum(map(is_too_fast, today)),
    }


def is_too_fast(doc: Doc) -> bool:
    """The one hint that these records can give (V026): one person wipes more than 200 m² a minute."""
    answers = doc["answers"]
    took = datetime.fromisoformat(answers["ended_at"]) - datetime.fromisoformat(answers["started_at"])
    return bool(answers["area_m2"] > 200 * took.total_seconds() / 60)


def deliveries(counted: Sequence[Doc], listed: Sequence[Doc], day: str) -> dict[str, Any]:
    so_far = [doc for doc in of_form(counted, "supply_delivery") if doc["work_date"] <= day]
    entries = [doc for doc in listed if doc["type"] == "roster_entry"]

    def got(entry: Doc, item: str) -> float:
        return sum(
            row["qty"]
            for doc in so_far
            if doc["answers"]["roster_entry_id"] == entry["roster_entry_id"]
            for row in doc["answers"]["rep_item"]
            if row["item_code"] == item
        )

    def shares(entry: Doc) -> list[tuple[float, float]]:
        return [(got(entry, due["item_code"]), due["qty"]) for due in entry["entitlement"]]

    done = [entry for entry in entries if all(have >= due for have, due in shares(entry))]
    some = [entry for entry in entries if entry not in done and any(have > 0 for have, _ in shares(entry))]
    return {
        "D1": len(entries),
        "D2": len(done),
        "D4": len(entries) - len(done) - len(some),
        "D4_partial": len(some),
        "D5": sum(any(have > due for have, due in shares(entry)) for entry in entries),
    }


def relief(
    docs: Sequence[Doc],
    registers: Sequence[Doc],
    villages: set[str],
    day: str,
    campaign: str | None,
    voided: Collection[str] = (),
) -> dict[str, Any]:
    """The same of one campaign's entries, or of all; and of each item what they got and what is due."""
    counted = [
        doc
        for doc in effective(docs, voided)
        if doc["form_id"] == "supply_delivery" and doc["work_date"] <= day
    ]
    entries = [
        doc
        for doc in registers
        if doc["type"] == "roster_entry" and doc["village_code"] in villages and is_active(doc, day)
        if campaign in (None, doc["campaign_id"])
    ]
    ids = {entry["roster_entry_id"] for entry in entries}
    due, got = defaultdict[str, float](float), defaultdict[str, float](float)
    for row in (row for entry in entries for row in entry["entitlement"]):
        due[row["item_code"]] += row["qty"]
    for doc in counted:
        for row in doc["answers"]["rep_item"] if doc["answers"]["roster_entry_id"] in ids else ():
            got[row["item_code"]] += row["qty"]
    items = {item: (got[item], due[item]) for item in due}
    return {**deliveries(counted, entries, day), "items": items}


def stock(docs: Sequence[Doc], villages: set[str], day: str, voided: Collection[str] = ()) -> dict[str, Any]:
    """By item and unit of the books: what all stores hold, and what was moved on the day."""
    moves = [doc for doc in effective(docs, voided) if doc["form_id"] == "stock_movement"]
    here = sorted((doc for doc in moves if doc["village_code"] in villages), key=last_first)

    def line(doc: Doc) -> tuple[str, str, str]:
        answers = doc["answers"]
        unit = {"jin": "kg", "g": "kg", "ml": "l"}.get(answers["unit"], answers["unit"])
        return (doc["village_code"], answers["warehouse_id"], f"{answers['item_code']} {unit}")

    def amount(doc: Doc) -> float:
        answers = doc["answers"]
        qty: float = answers.get("counted_qty", answers.get("qty"))
        return qty * {"jin": 0.5, "g": 0.001, "ml": 0.001}.get(answers["unit"], 1)

    held, moved = defaultdict[str, float](float), defaultdict[str, dict[str, float]](dict)
    for (_, _, name), said in group([doc for doc in here if doc["work_date"] <= day], line).items():
        counts = [at for at, doc in enumerate(said) if doc["answers"]["move_type"] == "stocktake"]
        begins = counts[-1] if counts else -1
        held[name] += amount(said[begins]) if counts else 0
        for doc in said[begins + 1 :]:
            held[name] += amount(doc) if doc["answers"]["move_type"] in COMES_IN else -amount(doc)
    for doc in (doc for doc in here if doc["work_date"] == day):
        kinds = [figure for figure, moves in MOVES.items() if doc["answers"]["move_type"] in moves]
        for figure in kinds:
            moved[figure][line(doc)[2]] = moved[figure].get(line(doc)[2], 0) + amount(doc)
    return {"D7": held, **{figure: moved[figure] for figure in MOVES}}


def spent_on_food(counted: Sequence[Doc], day: str) -> float:
    """What purchases of food have cost up to the day, as far as they state a price."""
    return sum(
        doc["answers"]["qty"] * doc["answers"].get("unit_price", 0)
        for doc in of_form(counted, "stock_movement")
        if doc["work_date"] <= day and doc["answers"]["move_type"] == "purchase"
        if doc["answers"]["item_code"] in ("VEG_BOX", "RICE_BAG", "FLOUR", "OIL", "FRUIT")
    )


COMES_IN = ("purchase", "donation", "allocate_in", "return")
MOVES = {
    "D7_in": COMES_IN,
    "D7_out": ("allocate_out", "issue"),
    "D7_used": ("use",),
    "D7_damaged": ("damage",),
}

Mention = tuple[Doc, Mapping[str, Any]]  # a visit and one of the persons whom it names


def last_first(doc: Doc) -> tuple[Any, ...]:
    return (doc["work_date"], true_time(doc), doc["_id"])


def mentions(everywhere: Sequence[Doc]) -> dict[Any, list[Mention]]:
    """By person: the identity number, else the household with name and year of birth."""

    def who(mention: Mention) -> Any:
        doc, row = mention
        home = doc["answers"].get("household_id") or "new " + family_name(doc)
        born = int(doc["work_date"][:4]) - row["age"]
        return row.get("id_number") or (doc["village_code"], home, row["person_name"], born)

    visits = sorted(of_form(everywhere, "household_visit"), key=last_first)
    named = [(doc, row) for doc in visits for row in doc["answers"].get("rep_person", [])]
    result: dict[Any, list[Mention]] = {}
    for mention in named:
        result.setdefault(who(mention), []).append(mention)
    return result


def village_on(said: Sequence[Mention], day: str) -> str:
    """Where a person was last found by the day, moves away aside; who has not been found yet is where first
    found."""
    staying = [doc for doc, row in said if "moved_out" not in row["person_reason"]]
    found = staying or [doc for doc, _ in said]
    return str([doc for doc in found if doc["work_date"] <= day or doc is found[0]][-1]["village_code"])


def persons(everywhere: Sequence[Doc], villages: set[str], day: str) -> dict[str, Any]:
    here = [said for said in mentions(everywhere).values() if village_on(said, day) in villages]
    so_far = [[each for each in said if each[0]["work_date"] <= day] for said in here]

    def fevers(said: Sequence[Mention]) -> list[Doc]:
        return [doc for doc, row in said if "fever" in row["person_reason"]]

    def is_referred(said: Sequence[Mention]) -> bool:
        first = fevers(said)[0]
        later = [each for each in said if last_first(each[0]) >= last_first(first)]
        sent = [true_time(doc) for doc, row in later if "sent_clinic" in row.get("actions", ())]
        return any(at - true_time(first) <= timedelta(hours=2) for at in sent)

    def area(row: Mapping[str, Any]) -> str | None:
        """Wuhan and Hubei have been key areas since 8 January."""
        since = row.get("left_place_date", "") >= "2020-01-08"
        if since and row.get("travel_province") == "420000":
            return "420100" if row["travel_city"] == "420100" else "420000"
        return "other" if "key_area" in row["person_reason"] else None

    def returned(said: Sequence[Mention]) -> list[Doc]:
        return [doc for doc, row in said if area(row)]

    def released(said: Sequence[Mention]) -> bool:
        back = returned(said)
        return bool(back) and any(
            row.get("observe_type") == "done" and last_first(doc) >= last_first(back[0]) for doc, row in said
        )

    def observed(said: Sequence[Mention]) -> str:
        return ([""] + [row["observe_type"] for _, row in said if "observe_type" in row])[-1]

    new = [said for said in here if fevers(said) and fevers(said)[0]["work_date"] == day]
    back = [said for said in here if returned(said)]
    return {
        "B1": len(new),
        "B2": sum(not is_referred(said) for said in new),
        "B5": sum(returned(said)[0]["work_date"] == day for said in back),
        "B5_so_far": sum(bool(returned(said)) for said in so_far),
        "B5_released": sum(map(released, so_far)),
        "B6_home": sum(observed(said) == "home" for said in so_far),
        "B6_central": sum(observed(said) == "central" for said in so_far),
    }


def in_two_villages(everywhere: Sequence[Doc]) -> set[str]:
    """The records that V016 flags."""
    found: set[str] = set()
    for said in mentions(everywhere).values():
        for of_day in group([doc for doc, _ in said], lambda doc: doc["work_date"]).values():
            if len({doc["village_code"] for doc in of_day}) > 1:
                found |= {doc["_id"] for doc in of_day}
    return found


ENDS = [1, 2, 5, 10, 15, 30, *(60 * each for each in (1, 1.5, 2, 3, 4, 6, 8, 12, 18, 24, 36))]
ENDS += [24 * 60 * each for each in (2, 3, 5, 7, 14)]


def slow_percentile(minutes: Sequence[float], percent: int) -> float | None:
    """The nearest-rank percentile, told as the end of the range that it lies in."""
    if not minutes:
        return None
    place = -(-percent * len(minutes) // 100)
    value = sorted(minutes)[place - 1]
    return next((end for end in ENDS if value <= end), ENDS[-1])


def quality(
    everywhere: Sequence[Doc], counted: Sequence[Doc], villages: set[str], days: Sequence[str]
) -> dict[str, tuple[float, float]]:
    """Means as what is divided and by what."""
    visits = [doc for doc in of_form(counted, "household_visit") if doc["work_date"] in days]
    minutes = [
        (datetime.fromisoformat(doc["ended_at"]) - datetime.fromisoformat(doc["started_at"])).total_seconds()
        / 60
        for doc in visits
    ]
    timed = [each for each in minutes if 0 <= each <= 240]
    of_days = [doc for doc in of_form(everywhere, "household_visit") if doc["work_date"] in days]
    by_filler = group(
        sorted(of_days, key=last_first), lambda doc: (doc["filler_id"], doc["work_date"])
    ).values()
    fillers = sum(docs[-1]["village_code"] in villages for docs in by_filler)
    return {"A10": (sum(timed), len(timed)), "A10_filler": (len(visits), fillers)}
