"""The formats beside CSV, read back by programs that others wrote."""

import io
import json
import zipfile
from typing import Any

import openpyxl
import pytest
from pyarrow import parquet
from python_calamine import CalamineWorkbook

from server.exports import formats, parquet_file, xlsx_file
from server.exports.gcj02 import from_wgs84
from server.exports.xlsx_file import cell
from tests.server.api.world import World, sample

GPS = {"lat": 36.5, "lon": 117.85, "accuracy_m": 12}
IN_FULL = "&unmask=1&reason=核对位置"


def export(world: World, query: str, form: str = "household_visit", who: str = "dong") -> Any:
    answer = world.get(who, f"/api/v1/export/{form}?{query}")
    assert answer.status_code == 200, answer.text
    return answer


@pytest.fixture(scope="module")
def evil(world: World) -> str:
    """A record with a position, a formula, blanks at its ends and what XML does not take."""
    record = sample("disinfection_log/pass/incident", device_id=world.device_id)
    record |= {"gps": GPS, "remark": "=cmd|' /C calc'!A0\x0b <&> _x0041_ "}
    world.push(record)
    world.follow()
    return str(record["_id"])


def sheet(data: bytes, name: str) -> list[dict[str, Any]]:
    heads, *rows = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name(name).to_python()
    return [dict(zip(heads, row, strict=False)) for row in rows]


def test_a_workbook_holds_the_records_and_each_repeat_as_a_sheet(world: World) -> None:
    data = export(world, "format=xlsx").data
    records = {row["record_id"]: row for row in sheet(data, "household_visit")}
    row = records[world.ids["people"]]
    assert row["rep_person.count"] == 2 and row["effective"] is True
    assert row["village_code"] == "370304102901" and row["work_date"][:2] == "20"
    people = [row for row in sheet(data, "rep_person") if row["record_id"] == world.ids["people"]]
    assert [row["row"] for row in people] == [1, 2]
    assert people[0]["person_name"] == "示**" and people[0]["id_number"] == "420106********0006"


def test_texts_of_a_workbook_are_text_cells_under_frozen_heads(world: World, evil: str) -> None:
    data = export(world, "format=xlsx" + IN_FULL, "disinfection_log").data
    page = openpyxl.load_workbook(io.BytesIO(data))["disinfection_log"]
    assert page.freeze_panes == "A2"
    heads = [each.value for each in page[1]]
    row = next(row for row in page.iter_rows(min_row=2) if row[0].value == evil)
    remark = row[heads.index("remark")]
    assert (remark.data_type, remark.number_format) == ("s", "@")
    read = next(each for each in sheet(data, "disinfection_log") if each["record_id"] == evil)
    assert read["remark"] == "=cmd|' /C calc'!A0 <&> _x0041_ "
    assert row[heads.index("gps.lat")].value == 36.5
    code = row[heads.index("village_code")]
    assert (code.value, code.number_format) == ("370304102901", "@")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "<c/>"),
        (True, '<c t="b"><v>1</v></c>'),
        (36.5, "<c><v>36.5</v></c>"),
        (10**15, '<c s="1" t="inlineStr"><is><t>1000000000000000</t></is></c>'),
        (["a", "b"], '<c s="1" t="inlineStr"><is><t>a b</t></is></c>'),
        ("x" * 40_000, f'<c s="1" t="inlineStr"><is><t>{"x" * 32_767}</t></is></c>'),
        ("\ud800", '<c s="1" t="inlineStr"><is><t></t></is></c>'),
    ],
)
def test_a_cell_is_a_number_only_while_excel_keeps_its_digits(value: object, written: str) -> None:
    assert cell(value) == written


def test_more_rows_than_a_sheet_has_are_refused_before_the_first_byte(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = formats.Format("xlsx", "xlsx", "x/x", ("", ""), xlsx_file.write, rows_max=1, whole=True)
    monkeypatch.setitem(formats.FORMATS, "xlsx", small)
    refused = world.get("dong", "/api/v1/export/household_visit?format=xlsx")
    assert (refused.status_code, refused.json["code"]) == (422, "too-many-rows")


def features(answer: Any) -> dict[str, Any]:
    return {each["properties"]["record_id"]: each for each in json.loads(answer.data)["features"]}


def test_a_masked_map_has_every_feature_and_no_position(world: World, evil: str) -> None:
    answer = export(world, "format=geojson", "disinfection_log")
    assert answer.content_type == "application/geo+json"
    found = features(answer)
    assert {world.ids["spray"], evil} <= set(found)
    assert all(each["geometry"] is None for each in found.values())
    assert found[evil]["properties"]["gps.accuracy_m"] is None
    assert found[evil]["properties"]["remark"] == "***"


def test_a_map_in_full_has_positions_in_wgs84_or_shifted(world: World, evil: str) -> None:
    plain = features(export(world, "format=geojson" + IN_FULL, "disinfection_log"))[evil]
    assert plain["geometry"] == {"type": "Point", "coordinates": [117.85, 36.5]}
    assert plain["properties"]["effective"] is True and plain["properties"]["objects"] == ["floor", "handle"]
    answer = export(world, "format=geojson-gcj02" + IN_FULL, "disinfection_log")
    assert json.loads(answer.data)["coordinate_system"] == "GCJ-02"
    shifted = features(answer)[evil]["geometry"]["coordinates"]
    assert shifted == pytest.approx(from_wgs84(117.85, 36.5), abs=1e-7)


def test_a_map_of_a_repeat_stands_where_its_record_was_taken(world: World) -> None:
    record = sample("household_visit/pass/two_people", device_id=world.device_id, household_id="H2")
    world.push(record | {"gps": GPS})
    world.follow()
    query = "format=geojson&table=rep_person"
    assert features(export(world, query))[record["_id"]]["geometry"] is None
    found = features(export(world, query + IN_FULL))[record["_id"]]
    assert found["geometry"]["coordinates"] == [117.85, 36.5]
    assert found["properties"]["person_reason"]


@pytest.mark.parametrize(
    "gps", [{"lat": True, "lon": 1}, {"lat": 91, "lon": 0}, {"lat": "36", "lon": 117}, {}, "here", [1, 2]]
)
def test_a_position_that_is_none_gives_no_geometry(world: World, gps: Any) -> None:
    record = sample("household_visit/pass/uneventful", device_id=world.device_id) | {"gps": gps}
    world.push(record)
    world.follow()
    assert features(export(world, "format=geojson" + IN_FULL))[record["_id"]]["geometry"] is None


def test_an_empty_export_is_a_whole_file_in_every_format(world: World) -> None:
    nothing = "from=2030-01-01&format="
    assert json.loads(export(world, nothing + "geojson").data)["features"] == []
    assert sheet(export(world, nothing + "xlsx").data, "household_visit") == []
    assert parquet.read_table(io.BytesIO(export(world, nothing + "parquet").data)).num_rows == 0


def test_parquet_has_typed_columns_and_null_for_what_is_of_another_type(world: World) -> None:
    wrong = sample("household_visit/pass/uneventful", device_id=world.device_id, resident_count="three")
    world.push(wrong)
    world.follow()
    table = parquet.read_table(io.BytesIO(export(world, "format=parquet").data))
    types = {field.name: str(field.type) for field in table.schema}
    assert (types["resident_count"], types["effective"], types["village_code"]) == ("int64", "bool", "string")
    rows = {row["record_id"]: row for row in table.to_pylist()}
    assert rows[world.ids["visit"]]["resident_count"] == 3
    assert rows[wrong["_id"]]["resident_count"] is None
    people = parquet.read_table(io.BytesIO(export(world, "format=parquet&table=rep_person").data))
    assert str(people.schema.field("person_reason").type).startswith("list<")
    assert people.to_pylist()[0]["person_name"] == "示**"


def test_without_pyarrow_parquet_is_refused_with_how_to_install_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_file, "find_spec", lambda _name: None)
    refused = world.get("dong", "/api/v1/export/household_visit?format=parquet")
    assert (refused.status_code, refused.json["code"]) == (501, "format-missing")
    assert "pip install pyarrow==" in refused.json["detail"]


def test_unknown_formats_forms_and_tables_are_refused(world: World) -> None:
    assert world.get("dong", "/api/v1/export/household_visit?format=dbf").json["code"] == "invalid"
    assert world.get("dong", "/api/v1/export/nope?format=xlsx").json["code"] == "unknown-form"
    assert world.get("dong", "/api/v1/export/household_visit?table=x").json["code"] == "unknown-table"


def test_an_export_since_a_cursor_has_what_came_later_and_loses_nothing(world: World) -> None:
    def since(cursor: str) -> tuple[set[str], str]:
        answer = export(world, f"format=geojson&since={cursor}")
        return set(features(answer)), answer.headers["Gridbook-Cursor"]

    before, cursor = since("0")
    assert world.ids["visit"] in before
    late = sample("household_visit/pass/uneventful", device_id=world.device_id)
    world.push(late)
    waiting, again = since(cursor)
    assert late["_id"] not in waiting
    world.follow()
    assert late["_id"] in since(cursor)[0] and late["_id"] in since(again)[0]


def test_a_cursor_of_other_filters_or_a_broken_one_is_refused(world: World) -> None:
    cursor = export(world, "since=0").headers["Gridbook-Cursor"]
    for query in (f"since={cursor}&status=quarantined", "since=broken", f"since={cursor[:-3]}"):
        refused = world.get("dong", f"/api/v1/export/household_visit?{query}")
        assert (refused.status_code, refused.json["code"]) == (422, "bad-cursor"), query
    other = world.get("dong", f"/api/v1/export/disinfection_log?since={cursor}")
    assert other.json["code"] == "bad-cursor"


def test_the_workbook_is_one_that_zip_programs_find_no_fault_with(world: World) -> None:
    with zipfile.ZipFile(io.BytesIO(export(world, "format=xlsx").data)) as book:
        assert book.testzip() is None
