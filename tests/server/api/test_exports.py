"""The CSV files, read back by Python's csv."""

import csv
import io
import re

import pytest

from tests.server.api.world import World, sample


def read(answer) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline=""), strict=True))


def export(world: World, path: str, who: str = "dong") -> list[dict[str, str]]:
    return read(world.get(who, f"/api/v1/export/{path}"))


def test_every_record_is_a_row_whatever_its_verdict(world: World) -> None:
    rows = {row["record_id"]: row for row in export(world, "household_visit.csv")}
    assert rows[world.ids["visit"]]["status"].startswith("accepted")
    assert rows[world.ids["too_hot"]]["status"] == "quarantined"
    assert (
        rows[world.ids["visit"]]["effective"] == "true" and rows[world.ids["too_hot"]]["effective"] == "false"
    )
    assert rows[world.ids["people"]]["rep_person.count"] == "2"


def test_codes_are_text_and_numbers_are_numbers(world: World) -> None:
    row = next(row for row in export(world, "household_visit.csv") if row["record_id"] == world.ids["visit"])
    assert row["village_code"] == "\t370304102901"
    assert row["resident_count"] == "3"
    assert row["work_date"] == sample("household_visit/pass/uneventful")["work_date"]


def test_a_repeat_is_a_table_of_its_own_with_the_record_it_belongs_to(world: World) -> None:
    rows = [
        row
        for row in export(world, "household_visit.csv?table=rep_person")
        if row["record_id"] == world.ids["people"]
    ]
    assert [row["row"] for row in rows] == ["1", "2"]
    assert rows[0]["person_reason"] == "key_area"
    assert rows[0]["person_name"] == "示**" and rows[0]["id_number"] == "420106********0006"
    assert rows[0]["phone"] == "154****0002"


def test_names_and_numbers_in_full_need_the_right_and_a_reason_and_are_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    path = "/api/v1/export/household_visit.csv?table=rep_person&unmask=1"
    assert world.get("bai", path + "&reason=流调核实").json["code"] == "forbidden"
    assert world.get("dong", path).json["code"] == "reason-missing"
    rows = read(world.get("dong", path + "&reason=流调核实"))
    row = next(row for row in rows if row["record_id"] == world.ids["people"])
    assert row["id_number"] == "\t420106198808080006"
    assert re.search(r"unmasked: dong .* export of household_visit/rep_person; reason: 流调核实", caplog.text)


def test_a_formula_in_a_volunteers_text_is_shown_not_run(world: World) -> None:
    evil = sample(
        "disinfection_log/pass/incident",
        device_id=world.device_id,
        product_name='=HYPERLINK("http://evil","84")',
    )
    evil["remark"] = "=cmd|' /C calc'!A0"
    world.push(evil)
    world.follow()
    row = next(row for row in export(world, "disinfection_log.csv") if row["record_id"] == evil["_id"])
    assert row["product_name"] == '\'=HYPERLINK("http://evil","84")'
    assert row["remark"] == "***"
    in_full = export(world, "disinfection_log.csv?unmask=1&reason=核对备注")
    assert next(row for row in in_full if row["record_id"] == evil["_id"])["remark"] == "'=cmd|' /C calc'!A0"


def test_a_question_that_bears_an_envelope_fields_name_has_its_own_column(world: World) -> None:
    row = next(row for row in export(world, "disinfection_log.csv") if row["record_id"] == world.ids["spray"])
    assert row["answers.started_at"].endswith("09:00:00+08:00") and row["started_at"].endswith(
        "10:03:00+08:00"
    )


def test_filters_narrow_the_file(world: World) -> None:
    rows = export(world, "household_visit.csv?status=quarantined")
    assert {row["status"] for row in rows} == {"quarantined"}
    assert export(world, "household_visit.csv?from=2030-01-01") == []


def test_nothing_of_another_towns_people_leaves(world: World) -> None:
    assert export(world, "household_visit.csv", who="ba") == []
    assert export(world, "household_visit.csv?table=rep_person", who="ba") == []
