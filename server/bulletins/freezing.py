"""Preview, freeze, correct, compare: what can be done with the bulletin of a day.

Freezing, step by step:
1. the cut-off has passed, and a little more, so that nothing stamped before it is still on its way to disk;
2. intake has handled everything that was received up to it, and the read model is not being made again;
3. the figures as of the cut-off come out of one snapshot;
4. the document is written under the next number. Whoever comes second finds the number taken, reads again,
   and is told which bulletin there is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from server import clock
from server.app import Gridbook
from server.bulletins import archive, cutoff, sealing
from server.bulletins.archive import Bulletin
from server.bulletins.content import Content, Frozen, changes, compose, question_of, told
from server.bulletins.progress import wait_until_handled
from server.bulletins.refusals import Refused
from server.intake.lookups import district_settings
from server.people.staff import Staff
from server.readmodel.figures import sums_by_area
from server.readmodel.kept_areas import AreaAnswers
from server.readmodel.moments import BEIJING
from server.readmodel.snapshots import snapshot
from server.villages import nil_reports

WAIT_S = 8.0  # for intake to catch up
LATE_DAYS = 7  # bulletins so many days back are compared in the next one
ATTEMPTS = 20
REASON_LENGTH_MIN, REASON_LENGTH_MAX = 4, 200


def preview(
    shared: Gridbook, day: date, now: datetime | None = None, of_villages: Collection[str] | None = None
) -> Content:
    """The day as of now or of its cut-off, whichever is earlier; provisional until it is frozen. With
    `of_villages` villages have these indicators only."""
    now = now or clock.now()
    moment = min(clock.stamp(now), cut_off(shared, day))
    return _composed(shared, day, moment, archive.every(shared.store), of_villages, keeping=True)


def cut_off(shared: Gridbook, day: date) -> str:
    with shared.readmodel.engine.connect() as connection:
        return cutoff.cut_off(district_settings(shared.readmodel, connection), day)


def freeze(
    shared: Gridbook, day: date, member: Staff, now: datetime | None = None, wait_s: float = WAIT_S
) -> Bulletin:
    """The day's bulletin as of its cut-off. Raises Refused."""
    now = now or clock.now()
    moment = cut_off(shared, day)
    if cutoff.settled(now) < moment:
        raise Refused("bulletin-too-early", cut_off=beijing_time(moment))
    _refuse_second(archive.every(shared.store), day)
    return _write(shared, day, moment, member, now, wait_s)


def correct(
    shared: Gridbook,
    number: str,
    reason: str,
    member: Staff,
    now: datetime | None = None,
    wait_s: float = WAIT_S,
) -> Bulletin:
    """Another number for the same day that counts everything received until now and names the one that it
    replaces. Raises Refused."""
    now = now or clock.now()
    reason = " ".join(reason.split())
    if not REASON_LENGTH_MIN <= len(reason) <= REASON_LENGTH_MAX:
        raise Refused("bulletin-reason")
    old = archive.one(shared.store, number)
    _refuse_replaced(old)
    day = date.fromisoformat(old.day)
    return _write(
        shared, day, cutoff.settled(now), member, now, wait_s, {"replaces": number, "reason": reason}
    )


def _refuse_second(bulletins: Sequence[Bulletin], day: date) -> None:
    there = archive.in_force(bulletins, day.isoformat())
    if there:
        raise Refused(
            "bulletin-exists",
            number=there.number,
            name=there.frozen_by["name"],
            at=beijing_time(there.frozen_at),
        )


def _refuse_replaced(old: Bulletin) -> None:
    if old.replaced_by:
        raise Refused("bulletin-replaced", number=old.number, by=old.replaced_by)


def _write(
    shared: Gridbook,
    day: date,
    moment: str,
    member: Staff,
    now: datetime,
    wait_s: float,
    correction: dict[str, str] | None = None,
) -> Bulletin:
    wait_until_handled(shared.store, shared.readmodel, shared.declaration, moment, wait_s)
    content = _composed(shared, day, moment, archive.every(shared.store))
    content |= {
        "frozen_at": clock.stamp(now),
        "frozen_by": {"staff_id": member.staff_id, "name": member.name},
        **(correction or {}),
    }
    key = sealing.key(shared.settings.data)
    for _ in range(ATTEMPTS):
        bulletins = archive.every(shared.store)
        if correction:
            _refuse_replaced(archive.one(shared.store, correction["replaces"]))
        else:
            _refuse_second(bulletins, day)
        last = archive.last_of(bulletins, day.year)
        content |= {
            "number": archive.next_number(bulletins, day.year),
            "previous": last.digest if last else None,
        }
        try:
            return archive.write(shared.store, content, key, member.writer)
        except archive.Taken:
            continue
    raise Refused("bulletin-behind", db=archive.DATABASE)


def _composed(
    shared: Gridbook,
    day: date,
    moment: str,
    bulletins: Sequence[Bulletin],
    of_villages: Collection[str] | None = None,
    *,
    keeping: bool = False,
) -> Content:
    """What is frozen is worked out of the tables alone."""
    earlier = _earlier(shared, day, bulletins)
    with snapshot(shared.readmodel.engine) as connection:
        settings = district_settings(shared.readmodel, connection)
        nil = nil_reports.standing(shared.store, day.isoformat(), moment)
        given = (connection, shared.people, shared.declaration, settings, day, moment)
        answers = AreaAnswers(shared.readmodel, connection) if keeping else None
        return compose(*given, earlier, nil, of_villages, answers)


def _earlier(shared: Gridbook, day: date, bulletins: Sequence[Bulletin]) -> list[Frozen]:
    first, last = (day - timedelta(days=LATE_DAYS)).isoformat(), day.isoformat()
    return [
        Frozen(each.number, each.day, archive.own_figures(shared.store, each))
        for each in bulletins
        if first <= each.day < last and not each.replaced_by
    ]


def late_changes(shared: Gridbook, content: Content) -> dict[str, dict[str, float | int]]:
    """What came for the day since: {code of the district or a town: {indicator: change}}; what did not change
    is left out."""
    day, known = content["day"], list(shared.declaration.indicators.values())
    codes = [area["code"] for area in content["areas"] if area["level"] != "village"]
    with snapshot(shared.readmodel.engine) as connection:
        now = AreaAnswers(shared.readmodel, connection).get(
            question_of(day, known),
            codes,
            lambda some: told(sums_by_area(connection, some, day, known), known),
        )
    found = {code: changes(content["figures"][code], figures) for code, (_, figures) in now.items()}
    return {code: each for code, each in found.items() if each}


def beijing_time(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
