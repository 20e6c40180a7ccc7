"""The pages' two catalogues and the templates that use them."""

import json
import re
from pathlib import Path

import pytest

from server.api.problems import CATALOGUE, Problem
from server.exceptions.board import STATES
from server.exceptions.steps import MOVES
from server.health import PARTS
from server.readmodel.declaration import read_declaration
from server.readmodel.disinfection_queries import STANDINGS as POINT_STANDINGS
from server.readmodel.disinfection_queries import hint_rules
from server.readmodel.relief_queries import STANDINGS
from server.readmodel.sides import SIDES
from server.readmodel.stock_queries import SINCE
from server.villages.nil_reports import MOVES as NIL_MOVES
from server.villages.states import STATES as VILLAGE_STATES
from server.web.language import FOLDER

WEB = Path(__file__).parents[3] / "server" / "web"
SOURCES = [*WEB.glob("templates/*.html"), *WEB.glob("*.py")]
KEY = re.compile(r"""\bt\(\s*f?["']([a-z0-9_.]+)["'][,)]""")
# Keys that are put together: the beginning, and what may follow.
COMPOSED = {
    "overview.by_": ["town", "village", "grid"],
    "figure.of_": list(SIDES),
    "figure.kind_": [*read_declaration().units, *read_declaration().mentioned],
    "overview.span_": ["day", "week"],
    "status.": [
        "unjudged",
        "accepted",
        "accepted_with_warnings",
        "quarantined",
        "returned",
        "superseded",
        "voided",
    ],
    "severity.": ["E", "W", "F"],
    "pii.": ["P1", "P2"],
    "roster.": ["open", "partial", "done"],
    "points.state_": list(POINT_STANDINGS),
    "points.by_": ["town", "village", "point"],
    "points.finding_": ["all", "wrong", "right", "hints"],
    "points.rule_": list(hint_rules(read_declaration())),
    "points.mix_": ["yes", "no"],
    "points.": ["due_n", "overdue_n", "never_n"],
    "stock.today_": ["in", "out", "used", "damaged"],
    "stock.by_": ["town", "village"],
    "relief.state_": list(STANDINGS),
    "relief.by_": ["town", "village"],
    "devices.": ["revoked", "expired", "silent", "heard", "fresh"],
    "review.done_": ["returned", "accepted", "voided", "restored"],
    "duplicates.state_": ["open", "decided"],
    "duplicates.done_": ["kept_both", "merged"],
    "duplicates.": ["kept_both", "merged"],
    "people.done_": ["disable", "enable"],
    "system.level_": ["good", "warn", "bad"],
    "system.part_": list(PARTS),
    "system.do_": [f"{part}_bad" for part in PARTS],
    "system.do_follower_": ["warn"],
    "system.do_waiting_": ["warn"],
    "system.do_rebuild_": ["warn"],
    "system.do_quarantine_": ["warn"],
    "system.do_disk_": ["warn"],
    "system.do_backup_": ["warn"],
    "enrol.step": ["1", "2", "3"],
    "bulletins.damage_": ["missing", "content", "head", "signature"],
    "lists.field_": ["name", "id_number", "phone", "town", "village", "address"],
    "lists.reason_": ["id", "id_begin", "name", "pinyin", "phone", "village", "town"],
    "lists.kind_": ["person", "household"],
    "exceptions.state_": list(STATES),
    "exceptions.did_": list(MOVES),
    "exceptions.done_": list(MOVES),
    "exceptions.open_": ["record", "filler", "household", "point", "roster_entry", "device"],
    "field.": [
        *("kind", "subject", "since", "due", "owner", "state", "household", "point", "roster_entry"),
        *("station", *SINCE),
    ],
    "menu.": ["not_reached", "points", "roster", "stock"],
    "unit.": ["household_page", "point_page", "roster_entry_page", "station_page"],
    "villages.state_": list(VILLAGE_STATES),
    "villages.do_": list(NIL_MOVES),
    "villages.done_": list(NIL_MOVES),
    "webhooks.off_": ["failing", "gone", "too_many", "staff"],
    "webhooks.why_": ["failing", "gone", "too_many", "staff", "retry"],
    "webhooks.state_": ["waiting", "delivered", "given_up"],
    "jobs.kind_": ["list-read", "list-import", "list-match", "list-answer"],
    "jobs.stage_": ["read", "prepare", "match", "answer"],
    "exports.state_": ["queued", "running", "cancelling", "done", "failed", "cancelled"],
}


def words(language: str) -> dict[str, str]:
    return json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))


def test_both_languages_have_the_same_keys() -> None:
    assert words("zh").keys() == words("en").keys()


def test_both_languages_have_the_same_placeholders() -> None:
    holes = re.compile(r"{(\w+)}")
    different = {
        key
        for key in words("zh")
        if set(holes.findall(words("zh")[key])) != set(holes.findall(words("en")[key]))
    }
    assert different == set()


def test_every_key_that_a_page_uses_has_words() -> None:
    used = {key for source in SOURCES for key in KEY.findall(source.read_text(encoding="utf-8"))}
    used |= {beginning + end for beginning, ends in COMPOSED.items() for end in ends}
    assert len(used) > 150, "the search finds nothing"
    assert used - words("zh").keys() == set()


def test_every_question_type_of_the_forms_has_a_name() -> None:
    types = set()
    for path in (WEB.parents[1] / "forms").glob("*.json"):
        types |= set(re.findall(r'"type": "([a-zA-Z_]+)[ "]', path.read_text(encoding="utf-8")))
    shown = types - {"begin_group", "begin_repeat", "note", "calculate", "hidden"}
    assert {f"kind.{each}" for each in shown} <= words("zh").keys()


def test_no_words_are_empty() -> None:
    assert all(text.strip() for language in ("zh", "en") for text in words(language).values())


@pytest.mark.parametrize("code", CATALOGUE)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_problem_speaks_both_languages(code: str, language: str) -> None:
    fields = dict.fromkeys(re.findall(r"{(\w+)}", "".join(map(str, CATALOGUE[code]))), "x")
    title, detail = Problem(code, **fields).words(language)
    assert title and detail and "{" not in detail
    assert bool(re.search(r"[\u4e00-\u9fff]", detail)) == (language == "zh")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_became_of_a_record_is_called_the_same_on_the_phone(language: str) -> None:
    source = (WEB.parents[1] / "phone" / "src" / "i18n" / f"{language}.ts").read_text(encoding="utf-8")
    on_phone = dict(re.findall(r'  state_(\w+): "(.+)",', source))
    # English tells the volunteer what to do, and the clerk the status by its name.
    for status in ("accepted", "accepted_with_warnings", "returned", *(["quarantined"] * (language == "zh"))):
        assert on_phone[status] == words(language)[f"status.{status}"]
