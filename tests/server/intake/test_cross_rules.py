"""Rules that several records break together. Alice visits the first village, Bob the second; 钱七 is found in
both."""

from __future__ import annotations

from typing import Any

import pytest

from server.readmodel import queries
from server.readmodel.queries import RecordFilters
from server.readmodel.tables import mentioned, mentions, metadata
from tests.server.intake.district import (
    ALPHA,
    BETA,
    DAY,
    DISTRICT,
    NUMBERS,
    District,
    correction,
    disinfection,
    naming,
    person,
    rules,
    settings_doc,
    visit,
    withdrawal,
)


def flagged(district: District, rule: str) -> set[str]:
    found = queries.records(district.readmodel, RecordFilters(rule=rule), limit=200).items
    return {str(item["record_id"]) for item in found}


def values(district: District, name: str, day: str = DAY) -> tuple[Any, Any, Any]:
    """Of the first village, the second, the district."""
    areas = (ALPHA, BETA, DISTRICT)
    found = [queries.figures(district.readmodel, area, day, [name])[name]["value"] for area in areas]
    return (found[0], found[1], found[2])


def ids(*docs: dict[str, Any]) -> set[str]:
    return {str(doc["_id"]) for doc in docs}


def feverish_visit(name: str, code: str = ALPHA, at: str = "09:00", **more: Any) -> dict[str, Any]:
    record = visit(1, code=code, at=at, **more)
    return naming(record, person(record["work_date"], name, "fever"))


def test_visits_in_dispute_are_counted_on_their_day_until_one_is_corrected(district: District) -> None:
    calm, alarmed = visit(1, at="09:00"), visit(1, at="11:00", fever="yes")
    district.send(calm, alarmed, visit(2, fever="yes"))
    district.intake()
    assert values(district, "J4_disputed") == (2, 0, 2)
    district.send(correction(alarmed, visit(1, at="11:00")))
    district.intake()
    assert values(district, "J4_disputed") == (0, 0, 0)


def test_disinfections_that_may_be_one_are_counted_by_the_rule_that_says_so(district: District) -> None:
    first = disinfection(1, 50, "09:10", at="09:00")
    second = disinfection(1, 50, "09:12", at="09:02", phone="phone-a2")
    district.send(first, second, disinfection(2, 50, "09:10", at="09:00"))
    district.intake()
    assert flagged(district, "DUPLICATE_DISINFECTION") == ids(first, second)
    assert values(district, "J4_duplicates") == (2, 0, 2)
    figure = queries.figures(district.readmodel, ALPHA, DAY, ["J4_duplicates"])["J4_duplicates"]
    assert figure["parts"] == {"DUPLICATE_DISINFECTION": {"value": 2}}
    district.send(withdrawal(second))
    district.intake()
    assert values(district, "J4_duplicates") == (0, 0, 0)


def test_a_person_in_two_villages_on_one_day_is_flagged_on_both_and_counts_where_last_found(
    district: District,
) -> None:
    first, second = feverish_visit("钱七", at="09:00"), feverish_visit("钱七", BETA, at="10:00")
    district.send(second, first)
    district.intake()
    assert rules(district.verdict(first)) & {"V016"} == set()  # nobody in the field is bothered
    assert flagged(district, "V016") == ids(first, second)
    assert values(district, "B1") == (0, 1, 1)
    assert values(district, "B6_home") == (0, 1, 1)


def test_a_person_without_a_number_is_somebody_else_in_another_village(district: District) -> None:
    district.send(feverish_visit("赵六"), feverish_visit("赵六", BETA))
    district.intake()
    assert flagged(district, "V016") == set()
    assert values(district, "B1") == (1, 1, 2)


def test_another_day_is_no_double_registration_and_the_level_moves_along(district: District) -> None:
    district.send(feverish_visit("钱七"), feverish_visit("钱七", BETA, day="2020-02-12"))
    district.intake()
    assert flagged(district, "V016") == set()
    assert [values(district, "B6_home", f"2020-02-{day}") for day in (10, 11, 12)] == [
        (1, 0, 1),
        (1, 0, 1),
        (0, 1, 1),
    ]
    assert values(district, "B1", "2020-02-12") == (0, 0, 0)


def test_a_withdrawal_or_correction_takes_the_flag_back(district: District) -> None:
    first, second = feverish_visit("钱七"), feverish_visit("钱七", BETA, at="10:00")
    district.send(first, second)
    district.intake()
    district.send(correction(second, feverish_visit("孙八", BETA, at="11:00")))
    district.intake()
    assert flagged(district, "V016") == set()
    assert values(district, "B1") == (1, 1, 2)
    district.send(withdrawal(first))
    district.intake()
    assert values(district, "B1") == (0, 1, 1)


def test_a_village_that_reports_a_move_away_is_not_the_residence(district: District) -> None:
    here = feverish_visit("钱七", at="09:00")
    record = visit(1, code=BETA, at="10:00")
    gone = naming(record, person(DAY, "钱七", "fever", "moved_out"))
    district.send(here, gone)
    district.intake()
    assert flagged(district, "V016") == ids(here, gone)
    assert values(district, "B1") == (1, 0, 1)


def test_who_was_found_in_a_household_off_the_register_stays_one_person_when_its_origin_arrives_late(
    district: District,
) -> None:
    original = feverish_visit("赵六")
    original["answers"] = {
        **{name: value for name, value in original["answers"].items() if name != "household_id"},
        "register_status": "new",
        "new_address": "村东头一号院",
        "new_head_name": "王五",
        "special_groups": ["none"],
    }
    later = {**original, "_id": original["_id"][:-4] + "ffff", "captured_at": f"{DAY}T12:00:00+08:00"}
    corrected = correction(original, later)
    again = {**corrected, "_id": original["_id"][:-4] + "eeee", "supersedes": corrected["_id"]}
    for doc in (again, corrected, original):
        district.send(doc)
        district.intake()
    assert values(district, "B1") == (1, 0, 1)
    before = mentioned_rows(district)
    district.follower.rebuild()
    assert values(district, "B1") == (1, 0, 1)
    assert {row for row in mentioned_rows(district) if row[2] != "{}"} == {
        row for row in before if row[2] != "{}"
    }


def mentioned_rows(district: District) -> set[tuple[Any, ...]]:
    with district.readmodel.engine.connect() as connection:
        return {tuple(row) for row in connection.execute(mentioned.select())}


def test_no_key_holds_an_identity_number_and_another_secret_makes_other_keys(district: District) -> None:
    district.send(feverish_visit("钱七"))
    district.intake()
    with district.readmodel.engine.connect() as connection:
        keys = set(connection.execute(mentions.select()).all())
        for table in metadata.sorted_tables:
            if table.name not in ("records",):  # which holds the answers themselves
                text = repr(connection.execute(table.select()).all())
                assert NUMBERS["钱七"][0] not in text, table.name
    district.follower.rebuild()
    with district.readmodel.engine.connect() as connection:
        assert set(connection.execute(mentions.select()).all()) == keys
    other = district.new_follower(person_key=b"another secret")
    other.run_once()
    with district.readmodel.engine.connect() as connection:
        after = set(connection.execute(mentions.select()).all())
    assert {row.unit_key for row in after if row.kind == "person"}.isdisjoint(
        row.unit_key for row in keys if row.kind == "person"
    )


def test_a_fever_is_referred_in_time_by_a_later_visit_and_too_late_after_the_limit(
    district: District,
) -> None:
    def sent(at: str) -> dict[str, Any]:
        row = person(DAY, "钱七", "fever", actions=["reported_village", "sent_clinic"])
        return naming(visit(1, at=at), row)

    before = person(
        DAY,
        "钱七",
        "contact",
        contact_kind="suspected",
        last_contact_date=DAY,
        actions=["sent_clinic"],
    )
    earlier = naming(visit(1, at="08:30"), before)
    earlier["answers"]["q_contact"] = "yes"
    district.send(earlier, feverish_visit("钱七", at="09:00"))
    district.intake()
    assert rules(district.verdict(earlier)) == set()
    assert values(district, "B2") == (1, 0, 1)
    district.send(sent("11:30"))
    district.intake()
    assert values(district, "B2") == (1, 0, 1)
    district.send(sent("10:30"))
    district.intake()
    assert values(district, "B2") == (0, 0, 0)
    assert values(district, "B1") == (1, 0, 1)


def test_returned_persons_count_by_key_area_and_are_released(district: District) -> None:
    def parts(name: str, day: str = DAY) -> dict[str, Any]:
        found = queries.figures(district.readmodel, DISTRICT, day, [name])[name]
        return {code: part["value"] for code, part in found["parts"].items()} | {"": found["value"]}

    people = (
        person(DAY, "钱七", "key_area"),
        person(DAY, "孙八", "key_area", travel_city="420500"),
        person(DAY, "赵六", "key_area", travel_province="330000", travel_city="330300"),
        person(DAY, "周九", "outside_return", travel_province="330000", travel_city="330300"),
        person(DAY, "吴十", "key_area", left_place_date="2020-01-07", arrive_date="2020-01-07"),
    )
    district.send(naming(visit(1, residents=9), *people))
    district.intake()
    assert parts("B5") == {"420100": 1, "420000": 1, "other": 2, "": 4}
    assert parts("B5_so_far", "2020-02-20") == parts("B5")
    assert parts("B5", "2020-02-11") == {"": 0}
    done = person("2020-02-17", "钱七", "isolating", observe_type="done")
    record = naming(visit(1, day="2020-02-17"), done)
    record["answers"]["q_contact"] = "no"
    record["answers"]["roster_changed"] = "yes"
    record["answers"] |= {"joined_count": 1, "left_count": 0, "special_groups": ["none"]}
    district.send(record)
    district.intake()
    assert rules(district.verdict(record)) == set()
    assert parts("B5_released", "2020-02-16") == {"": 0}
    assert parts("B5_released", "2020-02-17") == {"420100": 1, "": 1}
    assert values(district, "B6_home", "2020-02-16")[0] - values(district, "B6_home", "2020-02-17")[0] == 1


@pytest.mark.parametrize(("count", "wanted"), [(25, 0), (26, 26)])
def test_more_visits_in_an_hour_than_anybody_can_make_are_flagged(
    district: District, count: int, wanted: int
) -> None:
    visits = [
        visit(1 + number % 5, "no_answer", at=f"09:{2 * number:02}") for number in range(min(count, 30))
    ]
    district.send(*visits, visit(1, at="14:00"))
    district.intake()
    assert len(flagged(district, "V060")) == wanted


def test_what_is_typed_in_from_paper_is_not_suspected(district: District) -> None:
    paper = {"entry_mode": "from_paper", "paper_ref": "1-1-1"}
    district.send(*(visit(1, at=f"09:{number:02}", **paper) for number in range(30)))
    district.intake()
    assert flagged(district, "V060") == set()


def quick(number: int, seconds: int) -> dict[str, Any]:
    """A visit at ten past, twenty past…"""
    at = f"{9 + number // 6:02}:{number % 6}0"
    return visit(1 + number % 5, at=at) | {"ended_at": f"{DAY}T{at}:{seconds:02}+08:00"}


def test_a_day_of_visits_that_are_too_short_is_flagged_once_there_are_enough(district: District) -> None:
    short, long = [quick(number, 12) for number in range(6)], [quick(number, 50) for number in range(6, 9)]
    district.send(*short, *long)
    district.intake()
    assert flagged(district, "V060") == set()
    district.send(quick(9, 55))
    district.intake()
    assert flagged(district, "V060") == ids(*short)
    district.send(withdrawal(short[0]), withdrawal(short[1]))
    district.intake()
    assert flagged(district, "V060") == set()


def lower_alike(district: District, households: int) -> None:
    doc = {**settings_doc(), "fabrication_alike_households": households}
    district.put(district.store.ensure("catalogue"), doc)


def test_the_same_answers_for_many_households_from_one_spot_are_flagged_by_the_settings_of_the_district(
    district: District,
) -> None:
    def at_home(number: int, **more: Any) -> dict[str, Any]:
        gps = {"lat": 36.5 + number / 1e6, "lon": 117.8, "accuracy_m": 9}
        return visit(number, **{"at": f"1{number}:00", "gps": gps, **more})

    alike = [at_home(number) for number in (1, 2, 3, 4)]
    away = at_home(5, gps={"lat": 36.51, "lon": 117.8, "accuracy_m": 9})
    district.send(*alike, away)
    district.intake()
    assert flagged(district, "V060") == set()
    lower_alike(district, 4)
    district.intake()
    assert flagged(district, "V060") == ids(*alike)
    other = at_home(3, at="13:30")
    other["answers"]["resident_count"] = 5
    district.send(other)
    district.intake()
    assert flagged(district, "V060") == set()


def test_the_mean_time_of_a_visit_and_the_visits_of_a_filler(district: District) -> None:
    district.send(visit(1), visit(2, at="10:00") | {"ended_at": f"{DAY}T10:02:00+08:00"})
    district.send(visit(3, at="11:00") | {"ended_at": f"{DAY}T18:00:00+08:00"}, visit(1, code=BETA))
    district.intake()
    assert values(district, "A10") == (1.25, 0.5, 1)
    assert values(district, "A10_filler") == (3, 1, 2)
