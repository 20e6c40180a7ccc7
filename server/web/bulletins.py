"""Bulletins: the list with the day's one click, one bulletin, and its correction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any
from urllib.parse import urlencode

from flask import flash, redirect, render_template, request, url_for
from markupsafe import Markup, escape
from marshmallow import ValidationError
from werkzeug.wrappers import Response

from server import clock
from server.api import bulletins as api
from server.api import shapes
from server.api.beijing import local, today
from server.api.bulletins import PREVIEW
from server.api.problems import Problem
from server.app import gridbook
from server.bulletins import archive, cutoff, freezing, wording
from server.bulletins.archive import Bulletin
from server.bulletins.refusals import Refused
from server.people.permissions import may
from server.people.staff import Staff
from server.people.web import require_csrf, require_staff
from server.readmodel import queries
from server.web import behind, language
from server.web import figures as layout
from server.web.asking import asked
from server.web.language import pick
from server.web.language import translate as t
from server.web.numbers import day_words, number
from server.web.pages import blueprint


@blueprint.get("/bulletins", endpoint="bulletins")
@require_staff("figures.read")
def list_page() -> str:
    member = api.reader()
    day = asked(shapes.DayQuery).get("day") or today()
    found = archive.every(gridbook().store)
    there = archive.in_force(found, day.isoformat())
    return render_template(
        "bulletins.html",
        items=[_item(each) for each in reversed(found)],
        day=day.isoformat(),
        today=today().isoformat(),
        day_words=day_words(day, language.current()),
        there=_item(there) if there else None,
        may_freeze=may(member, "bulletin.freeze"),
        **_cut_off(day),
    )


def _cut_off(day: date) -> dict[str, Any]:
    """{cut_off, due, broken}: a setting that is no time of day is told on the page instead."""
    try:
        moment = freezing.cut_off(gridbook(), day)
    except Refused as refused:
        return {"cut_off": "", "due": False, "broken": _words(refused)}
    return {"cut_off": local(moment), "due": cutoff.settled(clock.now()) >= moment, "broken": ""}


def _words(refused: Refused) -> str:
    return Problem(refused.code, **refused.fields).words(language.current())[1]


def _item(bulletin: Bulletin) -> dict[str, Any]:
    return {
        "number": bulletin.number,
        "day": bulletin.day,
        "until": local(bulletin.as_of),
        "by": bulletin.frozen_by["name"],
        "at": local(bulletin.frozen_at),
        "replaces": bulletin.replaces,
        "reason": bulletin.reason,
        "replaced_by": bulletin.replaced_by,
    }


@blueprint.get("/bulletins/<number>")
@require_staff("figures.read")
@api.told
def bulletin(number: str) -> str:
    member = api.reader()
    day = asked(shapes.DayQuery).get("day") if number == PREVIEW else None
    towns = wording.layout(gridbook().settings.forms)["towns"]
    found = api.described(number, day, towns)
    content = found["content"]
    places = wording.places(content)
    links = _Links(member, content, None if found["provisional"] else number)
    return render_template(
        "bulletin.html",
        number=number,
        provisional=found["provisional"],
        content=content,
        item=None if found["provisional"] else _item(found["bulletin"]),
        digest="" if found["provisional"] else found["bulletin"].digest,
        damage=found.get("damage"),
        late=_late(content, found.get("late", {})),
        message=api.text_of(found),
        until=local(content["as_of"]),
        day_words=day_words(date.fromisoformat(content["day"]), language.current()),
        figures=_figures(content, links),
        silent=wording.silent_by_town(content),
        nil=wording.nil_by_town(content),
        devices=[_device(each, places) for each in content["devices"]["silent"]],
        may_freeze=may(member, "bulletin.freeze"),
        **_table(content, wording.declared(content, towns), links),
    )


class _Links:
    """What stands behind a bulletin's figures now, for who may read it. A frozen one is named, so that the
    page behind can say what differs."""

    def __init__(self, member: Staff, content: Mapping[str, Any], number: str | None) -> None:
        address = behind.address_of(member, day=content["day"], bulletin=number)
        self._areas = {area["code"] for area in queries.areas(gridbook().readmodel)}
        # Put together once for each indicator, not for each of thousands of cells.
        self._addresses = {
            name: f"{address}{urlencode({'indicator': name})}&area="
            for name, each in gridbook().declaration.indicators.items()
            if address and layout.has_figure(each)
        }

    def known(self, area_code: str) -> bool:
        return area_code in self._areas

    def to(self, indicator_id: str, area_code: str) -> str:
        """Of an area that there is; empty for an indicator that only the bulletin still knows."""
        address = self._addresses.get(indicator_id, "")
        return address + area_code if address else ""


def _figures(content: Mapping[str, Any], links: _Links) -> list[dict[str, str]]:
    known, code = wording.words_of(content), content["district"]["code"]
    own = content["figures"][code]
    return [
        {
            "name": wording.titled(words, language.current()),
            "text": wording.figure_text(words, own[name]),
            "href": links.to(name, code) if links.known(code) else "",
            "note": pick(words["note"]),
        }
        for name, words in known.items()
    ]


def _table(content: Mapping[str, Any], names: list[str], links: _Links) -> dict[str, Any]:
    known = wording.words_of(content)
    shown = cache(number)

    percent = {name: wording.is_percent(known[name]) for name in names}
    begins = {name: escape(links.to(name, "")) for name in names}

    def cells(code: str) -> Markup:
        """As HTML: there are thousands, on which a template would spend most of the page's time."""
        own, there = content["figures"][code], escape(code) if links.known(code) else ""
        written = [(shown(own[name].get("value"), percent=percent[name]), begins[name]) for name in names]
        return Markup(  # noqa: S704  numbers, and addresses that are escaped
            "".join(
                f'<td class="number"><a class="quiet" href="{begin}{there}">{text}</a></td>'
                if begin and there
                else f'<td class="number">{text}</td>'
                for text, begin in written
            )
        )

    return {
        "columns": [wording.titled(known[name], language.current()) for name in names],
        "totals": cells(content["district"]["code"]),
        "towns": [_row(area, cells(area["code"])) for area in content["areas"] if area["level"] == "town"],
        "villages": [
            _row(area, cells(area["code"])) for area in content["areas"] if area["level"] == "village"
        ],
    }


def _row(area: Mapping[str, Any], cells: Markup) -> dict[str, Any]:
    return {"name": area["name"], "cells": cells}


def _late(content: Mapping[str, Any], late: Mapping[str, Mapping[str, float]]) -> list[dict[str, str]]:
    known, own = wording.words_of(content), late.get(content["district"]["code"], {})
    return [
        {"name": pick(known[name]["name"]), "text": wording.change_text(known[name], change)}
        for name, change in own.items()
        if name in known
    ]


def _device(device: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    return {
        "label": device["label"] or t("devices.unnamed"),
        "villages": "、".join(names.get(code, code) for code in device["villages"]),
        "last_contact": local(device.get("last_contact_at")) or t("devices.never"),
    }


@blueprint.post("/bulletins")
@require_staff("bulletin.freeze")
@require_csrf
def freeze_bulletin() -> Response:
    """What cannot be frozen now is said on the list, above the same button."""
    member, day = api.reader("bulletin.freeze"), _posted_day()
    try:
        made = freezing.freeze(gridbook(), day, member)
    except Refused as refused:
        flash(_words(refused), "bad")
        return redirect(url_for("web.bulletins", day=day.isoformat()), 303)
    flash(t("bulletins.frozen", number=made.number), "good")
    return redirect(url_for("web.bulletin", number=made.number), 303)


def _posted_day() -> date:
    try:
        day: date = shapes.Day().deserialize(request.form.get("day", ""))
    except ValidationError as refused:
        raise Problem("invalid", errors={"form": {"day": refused.messages}}) from None
    return day


@blueprint.post("/bulletins/<number>/correction")
@require_staff("bulletin.freeze")
@require_csrf
def correct_bulletin(number: str) -> Response:
    member = api.reader("bulletin.freeze")
    try:
        made = freezing.correct(gridbook(), number, request.form.get("reason", ""), member)
    except Refused as refused:
        flash(_words(refused), "bad")
        return redirect(url_for("web.bulletin", number=number), 303)
    flash(t("bulletins.frozen", number=made.number), "good")
    return redirect(url_for("web.bulletin", number=made.number), 303)
