"""The judgement of one record: which problems it has and what that makes of it. Never raises, whatever the
record holds.

What time it is, is when the record was received; so the same record is judged alike on every rebuild.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

from schemas import Context, calculate_record, check_record, too_deep
from server.intake.attachments import missing
from server.intake.lookups import KnownForm, Lookups
from server.readmodel import codec
from server.readmodel.distances import distance_m
from server.readmodel.moments import beijing_day, beijing_stamp, is_day, parse
from server.readmodel.problems import problem

log = logging.getLogger(__name__)

RECORD_ID = re.compile(r"record:(?P<form_id>[a-z][a-z0-9_]{0,63}):(?P<day>[0-9]{8}):[0-9A-Za-z-]{1,64}")
DOCUMENT_CHARACTERS_MAX = 2_000_000
DEVICE = "device:"

Doc = Mapping[str, Any]
Problem = dict[str, Any]
DeviceVillages = Callable[[str], Collection[str] | None]
FormerIds = Callable[[str], Collection[str]]


@dataclass(frozen=True, slots=True)
class Arrived:
    """A record as it came: `village_code` is its inbox's."""

    doc: Doc
    village_code: str
    writer: str
    received_at: str

    @property
    def device(self) -> str | None:
        """The device that handed it in; None when a server or an administrator did."""
        return self.writer.removeprefix(DEVICE) if self.writer.startswith(DEVICE) else None


@dataclass(frozen=True, slots=True)
class Judged:
    """`doc` carries the answers as the server calculated them."""

    status: str
    problems: list[Problem]
    doc: Doc
    checked: bool = False


@dataclass(frozen=True, slots=True)
class Original:
    """The record that a correction replaces."""

    village_code: str
    writer: str
    device_id: str | None


@dataclass
class Bench:
    """What judging needs besides the record. `device_villages` gives None for a device that nobody knows,
    `device_fillers` for one that may
    name any filler of its villages. Without the callables, devices are not checked."""

    connection: Connection
    lookups: Lookups
    device_villages: DeviceVillages | None = None
    device_fillers: DeviceVillages | None = None
    originals: Mapping[str, Original] = field(default_factory=dict)
    circular: frozenset[str] = frozenset()
    device_former_ids: FormerIds | None = None

    def one_phone(self, device_id: str, claimed: Any) -> bool:
        """Whether `claimed` is the device, or what its phone was called before it was enrolled again."""
        return claimed == device_id or (
            self.device_former_ids is not None and claimed in self.device_former_ids(device_id)
        )


def status_of(problems: list[Problem]) -> str:
    severities = {found["severity"] for found in problems}
    return (
        "quarantined" if "E" in severities else "accepted_with_warnings" if "W" in severities else "accepted"
    )


def judge(bench: Bench, arrived: Arrived) -> Judged:
    try:
        codec_fits(arrived.doc)
        return _judge(bench, arrived)
    except _NotStorable:
        return Judged("quarantined", [problem("TOO_LARGE")], _stub(arrived.doc))
    except Exception:
        log.exception("a record could not be checked: %r", str(arrived.doc.get("_id"))[:200])
        return Judged("quarantined", [problem("INTAKE_FAILED")], arrived.doc)


def only_calculated(bench: Bench, arrived: Arrived) -> Judged | None:
    """What `judge` would make of a record, as far as a verdict that stands leaves it open: its answers as the
    server calculates them. None when there is more to say of it."""
    try:
        codec_fits(arrived.doc)
        if too_deep(arrived.doc) or any(True for _ in _shape(arrived.doc)):
            return None
        form = _form(bench, arrived.doc)
        if form is None:
            return None
        doc = calculate_record(form.compiled, dict(arrived.doc), context(bench, arrived))
    except Exception:
        return None
    return Judged("", [], doc, True)


class _NotStorable(Exception):
    pass


def codec_fits(doc: Doc) -> None:
    try:
        length = len(codec.encode(doc))
    except (ValueError, RecursionError) as error:
        raise _NotStorable from error
    if length > DOCUMENT_CHARACTERS_MAX:
        raise _NotStorable


def _stub(doc: Doc) -> Doc:
    """What is kept in the read model of a document that is too large or too deep: the store has the whole."""
    return {name: doc[name] for name in ("_id", "_rev") if isinstance(doc.get(name), str)}


def _judge(bench: Bench, arrived: Arrived) -> Judged:
    shape = list(_shape(arrived.doc))
    if any(found["rule"] in ("NOT_A_RECORD", "RECORD_ID") for found in shape):
        return Judged("quarantined", shape, arrived.doc)
    problems = [*shape, *_circumstances(bench, arrived)]
    checked, doc = _check_form(bench, arrived, problems)
    return Judged(status_of(problems), problems, doc, checked)


def _shape(doc: Doc) -> Iterator[Problem]:
    if doc.get("type") != "record" or not isinstance(doc.get("answers", {}), dict):
        yield problem("NOT_A_RECORD")
        return
    match = RECORD_ID.fullmatch(str(doc.get("_id")))
    if match is None:
        yield problem("RECORD_ID", "_id")
        return
    day = doc.get("work_date")
    if match["form_id"] != doc.get("form_id") or not is_day(day) or match["day"] != str(day).replace("-", ""):
        yield problem("RECORD_ID_MISMATCH", "_id")


def _check_form(bench: Bench, arrived: Arrived, problems: list[Problem]) -> tuple[bool, Doc]:
    doc = arrived.doc
    form = _form(bench, doc)
    if form is None:
        problems.append(problem("V001", "form_version"))
        return False, doc
    report = check_record(form.compiled, dict(doc), context(bench, arrived))
    problems += [_as_dict(found) for found in report.problems]
    problems += [problem("ATTACHMENT_MISSING", path) for path in missing(form.files, doc)]
    return True, report.record


def _form(bench: Bench, doc: Doc) -> KnownForm | None:
    form_id, version = doc.get("form_id"), doc.get("form_version")
    if not isinstance(form_id, str) or not isinstance(version, str):
        return None
    return bench.lookups.form(bench.connection, codec.key(form_id), codec.key(version))


def _as_dict(found: Any) -> Problem:
    return {
        "rule": found.rule,
        "severity": found.severity,
        "path": found.path,
        "message": dict(found.message),
    }


def context(bench: Bench, arrived: Arrived) -> Context:
    today, now = _clock_at(arrived.received_at)
    return Context(
        today=today,
        now=now,
        settings=bench.lookups.settings(bench.connection),
        lists=bench.lookups.lister(bench.connection, arrived.village_code),
    )


# What was pushed together was received together.
@lru_cache(maxsize=1024)
def _clock_at(received_at: str) -> tuple[str, str]:
    received = parse(received_at)
    if received is None:
        raise ValueError(f"the store gave no time of receipt: {received_at!r}")
    return beijing_day(received), beijing_stamp(received)


def _circumstances(bench: Bench, arrived: Arrived) -> Iterator[Problem]:
    yield from _clock(bench, arrived)
    yield from _village(bench, arrived)
    yield from _device(bench, arrived)
    yield from _filler(bench, arrived)
    yield from _supersedes(bench, arrived)
    yield from _position(bench, arrived)


def _clock(bench: Bench, arrived: Arrived) -> Iterator[Problem]:
    limit = _number(bench.lookups.settings(bench.connection).get("clock_skew_max_s")) or 600
    skew = _number(arrived.doc.get("clock_skew_s")) or 0
    captured, received = parse(arrived.doc.get("captured_at")), parse(arrived.received_at)
    ahead = (captured - received).total_seconds() if captured and received else 0
    if abs(skew) > limit or ahead > limit:
        yield problem("V003", "clock_skew_s" if abs(skew) > limit else "captured_at")


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e15 else math.copysign(1e15, value)


def _village(bench: Bench, arrived: Arrived) -> Iterator[Problem]:
    claimed, day = arrived.doc.get("village_code"), arrived.doc.get("work_date")
    fits = claimed == arrived.village_code
    if fits and is_day(day):
        fits = bench.lookups.village_active(bench.connection, arrived.village_code, str(day))
    if fits and arrived.device is not None:
        fits = is_assigned(bench, arrived.device, arrived.village_code)
    if not fits:
        yield problem("V004", "village_code")


def is_assigned(bench: Bench, device_id: str, village_code: str) -> bool:
    return bench.device_villages is None or village_code in (bench.device_villages(device_id) or ())


def _device(bench: Bench, arrived: Arrived) -> Iterator[Problem]:
    if arrived.device is not None and not bench.one_phone(arrived.device, arrived.doc.get("device_id")):
        yield problem("FOREIGN_DEVICE", "device_id")


def _filler(bench: Bench, arrived: Arrived) -> Iterator[Problem]:
    filler_id = arrived.doc.get("filler_id")
    known = isinstance(filler_id, str) and bool(
        bench.lookups.entry(bench.connection, "filler", arrived.village_code, filler_id)
    )
    if known and bench.device_fillers is not None and arrived.device is not None:
        # Who could be named was settled when the record was made.
        claimed = arrived.doc.get("device_id")
        maker = str(claimed) if bench.one_phone(arrived.device, claimed) else arrived.device
        own = bench.device_fillers(maker)
        known = own is None or filler_id in own
    if not known:
        yield problem("FILLER", "filler_id")


def _supersedes(bench: Bench, arrived: Arrived) -> Iterator[Problem]:
    target = arrived.doc.get("supersedes")
    if not isinstance(target, str) or not target:
        return
    if str(arrived.doc.get("_id")) in bench.circular or target == arrived.doc.get("_id"):
        yield problem("SUPERSEDES_CYCLE", "supersedes")
        return
    # The id itself names the form; the original may not have arrived yet.
    match = RECORD_ID.fullmatch(target)
    if match and match["form_id"] != arrived.doc.get("form_id"):
        yield problem("SUPERSEDES_FORM", "supersedes")
    original = bench.originals.get(codec.key(target))
    if original is None:
        return
    if original.village_code != arrived.village_code and original.writer != arrived.writer:
        yield problem("SUPERSEDES_FOREIGN", "supersedes")
    if not bench.one_phone(str(arrived.doc.get("device_id")), original.device_id):
        yield problem("SUPERSEDES_OTHER_DEVICE", "supersedes")


def _position(bench: Bench, arrived: Arrived) -> Iterator[Problem]:
    here = _coordinates(arrived.doc.get("gps"), "lat", "lon")
    there = _coordinates(_place(bench, arrived), "lat", "lon")
    limit = _number(bench.lookups.settings(bench.connection).get("gps_far_m")) or 2000
    if here and there and distance_m(here, there) > limit:
        yield problem("GPS_FAR", "gps")


def _place(bench: Bench, arrived: Arrived) -> Any:
    answers = arrived.doc.get("answers", {})
    for kind, name in (("household", "household_id"), ("point", "point_id")):
        if isinstance(answers.get(name), str):
            return bench.lookups.entry(bench.connection, kind, arrived.village_code, answers[name])
    return None


def _coordinates(place: Any, lat: str, lon: str) -> tuple[float, float] | None:
    if not isinstance(place, Mapping):
        return None
    north, east = _number(place.get(lat)), _number(place.get(lon))
    return (
        (north, east)
        if north is not None and east is not None and abs(north) <= 90 and abs(east) <= 180
        else None
    )
