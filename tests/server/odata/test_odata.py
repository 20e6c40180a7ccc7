"""OData as Excel and Power BI ask for it: real requests, followed page by page."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ElementTree  # what the server itself wrote
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from server.odata import service
from tests.server.api.world import OTHER_TOWN, PASSWORD, VILLAGE, World, today

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def ask(world: World, path: str, who: str = "dong", **headers: str) -> Any:
    """As Excel asks: the user name, and an API token as the password."""
    address = "/odata/" + path
    return world.app.test_client().get(address, headers=basic(who, world.tokens[who]) | headers)


def rows(world: World, path: str, who: str = "dong") -> list[dict[str, Any]]:
    """All pages."""
    found: list[dict[str, Any]] = []
    client, headers = world.app.test_client(), basic(who, world.tokens[who])
    address = "/odata/" + path
    while address:
        answer = client.get(address, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["OData-Version"] == "4.0"
        found += answer.json["value"]
        parts = urlsplit(answer.json.get("@odata.nextLink", ""))
        address = f"{parts.path}?{parts.query}" if parts.path else ""
    return found


def refused(world: World, path: str, status: int, **headers: str) -> str:
    answer = ask(world, path, **headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["OData-Version"] == "4.0"
    assert set(answer.json) == {"error"} and answer.json["error"]["code"]
    return str(answer.json["error"]["message"])


def test_the_service_document_lists_what_the_metadata_declares(world: World) -> None:
    answer = ask(world, "")
    names = {each["name"] for each in answer.json["value"]}
    assert {"household_visit", "household_visit_rep_person", "supply_delivery_rep_item"} <= names
    assert {"register_households", "register_points", "register_stations", "register_roster"} <= names
    assert answer.json["@odata.context"].endswith("/odata/$metadata")
    metadata = ask(world, "$metadata")
    assert metadata.content_type.startswith("application/xml")
    tree = ElementTree.fromstring(metadata.data)  # noqa: S314
    assert {each.get("Name") for each in tree.iter(f"{EDM}EntitySet")} == names
    assert {each.get("Name") for each in tree.iter(f"{EDM}EntityType")} == names


def test_every_entity_has_exactly_the_declared_properties_of_the_declared_types(world: World) -> None:
    tree = ElementTree.fromstring(ask(world, "$metadata").data)  # noqa: S314
    fitting = {"Edm.String": str, "Edm.Int64": int, "Edm.Double": (int, float), "Edm.Boolean": bool}
    for entity in tree.iter(f"{EDM}EntityType"):
        declared = {each.get("Name"): fitting[each.get("Type", "")] for each in entity.iter(f"{EDM}Property")}
        key = [each.get("Name") for each in entity.iter(f"{EDM}PropertyRef")]
        seen = set()
        for row in rows(world, str(entity.get("Name"))):
            assert all(row[name] is not None for name in key)
            seen.add(tuple(row[name] for name in key))
            assert list(row) == list(declared)
            assert all(value is None or isinstance(value, declared[name]) for name, value in row.items())
        assert len(seen) == len(rows(world, str(entity.get("Name")))), "a key names one entity"


def test_pages_together_are_all_records_once_and_top_ends_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [row["record_id"] for row in rows(world, "household_visit")]
    assert {world.ids["visit"], world.ids["people"], world.ids["too_hot"]} <= set(whole)
    monkeypatch.setattr(service, "PAGE_ROWS", 2)
    assert [row["record_id"] for row in rows(world, "household_visit")] == whole
    assert [row["record_id"] for row in rows(world, "household_visit?$top=3")] == whole[:3]
    assert rows(world, "household_visit?$top=0") == []
    people = rows(world, "household_visit_rep_person")
    assert [row["row"] for row in people if row["record_id"] == world.ids["people"]] == [1, 2]
    assert rows(world, "household_visit_rep_person?$top=1") == people[:1]
    monkeypatch.setattr(service, "PAGE_ROWS", 1)
    assert rows(world, "household_visit_rep_person?$top=100") == people


def test_names_and_numbers_are_masked_whatever_is_asked(world: World) -> None:
    found = rows(world, "household_visit_rep_person")
    person = next(row for row in found if row["record_id"] == world.ids["people"])
    assert (person["person_name"], person["id_number"]) == ("示**", "420106********0006")
    assert refused(world, "household_visit?unmask=1", 400)


def test_select_filter_and_count(world: World) -> None:
    filtered = "household_visit?$select=record_id,status&$count=true&$filter="
    answer = ask(world, filtered + quote("status eq 'quarantined'"))
    assert answer.json["@odata.count"] == len(answer.json["value"]) == 1
    assert answer.json["value"] == [{"record_id": world.ids["too_hot"], "status": "quarantined"}]
    assert answer.json["@odata.context"].endswith("#household_visit(record_id,status)")
    day = f"work_date ge '{today()}' and work_date le '{today()}'"
    assert {row["work_date"] for row in rows(world, "household_visit?$filter=" + quote(day))} == {
        str(today())
    }
    village = quote(f"village_code eq '{VILLAGE}' and effective eq true")
    assert all(row["effective"] for row in rows(world, "household_visit?$filter=" + village))
    assert ask(world, "household_visit/$count").text == str(len(rows(world, "household_visit")))
    assert rows(world, "household_visit?$filter=" + quote("received_at ge 2099-01-01T00:00:00Z")) == []
    everything = quote("received_at gt 2019-01-01T00:00:00+08:00 and received_at le 2099-01-01T00:00:00Z")
    assert len(rows(world, "household_visit?$orderby=received_at&$filter=" + everything)) > 2


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("$filter=status ne 'quarantined'", 501),
        ("$filter=status eq 'a' or status eq 'b'", 501),
        ("$filter=contains(remark,'x')", 501),
        ("$filter=resident_count ge 3", 501),
        ("$filter=town_code eq '370304102' and village_code eq '370304102901'", 501),
        ("$filter=status eq 'nope'", 400),
        ("$filter=work_date ge 2020-02-01", 400),
        ("$filter=received_at ge yesterday", 501),
        ("$filter=received_at ge 2020-02-01", 400),
        ("$filter=status eq 'quarantined' and", 501),
        ("$expand=people", 501),
        ("$skip=10", 501),
        ("$search=x", 501),
        ("$orderby=work_date desc", 501),
        ("$format=atom", 501),
        ("$poem=1", 400),
        ("$select=poem", 400),
        ("$top=-1", 400),
        ("$top=99999999999", 400),
        ("$count=yes", 400),
        ("$skiptoken=broken", 400),
    ],
)
def test_what_is_not_understood_is_refused_and_not_passed_over(world: World, query: str, status: int) -> None:
    name, _, value = query.partition("=")
    assert refused(world, f"household_visit?{name}={quote(value)}", status)


def test_a_skiptoken_of_another_query_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PAGE_ROWS", 1)
    link = urlsplit(ask(world, "household_visit").json["@odata.nextLink"]).query
    assert ask(world, f"household_visit?{link}").status_code == 200
    refused(world, f"disinfection_log?{link}", 400)
    refused(world, f"household_visit?{link}&$filter=" + quote("effective eq true"), 400)


def test_there_is_nothing_beyond_ones_own_area_and_rights(world: World) -> None:
    assert rows(world, "household_visit", who="ba") == []
    elsewhere = ask(world, "household_visit?$filter=" + quote(f"town_code eq '{OTHER_TOWN}'"), who="bai")
    assert (elsewhere.status_code, elsewhere.json["error"]["code"]) == (403, "outside-area")
    assert ask(world, "household_visit", who="admin").status_code == 403


def test_a_stranger_is_asked_for_a_name_and_a_token(world: World) -> None:
    client = world.app.test_client()
    wrong = [
        {},
        basic("dong", "wrong"),
        basic("dong", PASSWORD),
        basic("bai", world.tokens["dong"]),
        basic("", ""),
        {"Authorization": "Basic !"},
    ]
    for headers in wrong:
        for path in ("", "$metadata", "household_visit", "household_visit/$count"):
            answer = client.get(f"/odata/{path}", headers=headers)
            assert answer.status_code == 401, (path, headers)
            assert answer.headers["WWW-Authenticate"].startswith("Basic ")
            assert answer.json["error"]["code"] == "unauthorized"
    assert client.get("/odata/household_visit", headers=world.headers("dong")).status_code == 200


def test_basic_authentication_opens_nothing_but_odata(world: World) -> None:
    answer = world.app.test_client().get("/api/v1/records", headers=basic("dong", world.tokens["dong"]))
    assert answer.status_code == 401


def test_only_reading_is_possible_and_only_what_there_is(world: World) -> None:
    client, headers = world.app.test_client(), basic("dong", world.tokens["dong"])
    assert client.post("/odata/household_visit", json={}, headers=headers).status_code == 405
    assert refused(world, "nope", 404)
    assert refused(world, "", 400, **{"OData-MaxVersion": "3.0"})


# One entity by its key


def one(world: World, path: str, who: str = "dong") -> Any:
    return ask(world, quote(path, safe="/?=&$"), who=who)


def test_a_record_and_a_row_of_a_repeat_are_found_by_their_keys(world: World) -> None:
    record_id = world.ids["people"]
    found = one(world, f"household_visit('{record_id}')").json
    assert found.pop("@odata.context").endswith("/odata/$metadata#household_visit/$entity")
    assert [found] == [row for row in rows(world, "household_visit") if row["record_id"] == record_id]
    named = one(world, f"household_visit(record_id='{record_id}')?$select=record_id,status")
    assert set(named.json) == {"@odata.context", "record_id", "status"}
    assert named.json["@odata.context"].endswith("#household_visit(record_id,status)/$entity")
    person = one(world, f"household_visit_rep_person(row=2,record_id='{record_id}')").json
    assert (person["row"], person["person_name"]) == (2, "示**")


@pytest.mark.parametrize(
    "path",
    [
        "household_visit('nope')",
        "household_visit('it''s')",
        "household_visit_rep_person(record_id='{people}',row=0)",
        "household_visit_rep_person(record_id='{people}',row=99)",
        "register_households(household_id='nope',village_code='370304102901')",
        "nope('x')",
    ],
)
def test_what_has_no_such_key_is_not_found(world: World, path: str) -> None:
    answer = one(world, path.format(**world.ids))
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    "path",
    [
        "household_visit()",
        "household_visit(1)",
        "household_visit('a'",
        "household_visit('a','b')",
        "household_visit('a',)",
        "household_visit(poem='a')",
        "household_visit('a\0')",
        "household_visit_rep_person('a')",
        "household_visit_rep_person(record_id='a',row='1')",
        "register_households('H1')",
        "household_visit('a')?$top=1",
        "household_visit('a')?$filter=effective",
    ],
)
def test_a_key_that_is_none_is_refused_with_how_it_is_written(world: World, path: str) -> None:
    answer = one(world, path)
    assert answer.status_code == (404 if path.endswith("'a'") else 400), answer.text


def test_no_key_leads_out_of_ones_area(world: World) -> None:
    assert one(world, f"household_visit('{world.ids['visit']}')", who="ba").status_code == 404
    household = f"register_households(household_id='H1',village_code='{VILLAGE}')"
    assert one(world, household, who="bai").status_code == 200
    assert one(world, household, who="ba").status_code == 404


# Registers, counts


def test_registers_are_masked_and_within_ones_area(world: World) -> None:
    found = rows(world, "register_households")
    first = next(row for row in found if row["household_id"] == "H1" and row["village_code"] == VILLAGE)
    assert (first["head_name"], first["town_code"]) == ("示**", VILLAGE[:9])
    assert {"lon", "lat", "head_search", "summary"}.isdisjoint(first)
    assert len({(row["village_code"], row["household_id"]) for row in found}) == len(found)
    assert {row["village_code"][:9] for row in rows(world, "register_households", who="ba")} == {OTHER_TOWN}
    roster = rows(world, "register_roster")[0]
    assert roster["campaign_id"] and isinstance(roster["entitlement"], str)


def test_registers_are_paged_filtered_and_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rows(world, "register_households")
    assert ask(world, "register_households/$count").text == str(len(whole))
    monkeypatch.setattr(service, "PAGE_ROWS", 2)
    assert rows(world, "register_households") == whole
    assert rows(world, "register_households?$top=3") == whole[:3]
    village = "?$count=true&$filter=" + quote(f"village_code eq '{VILLAGE}'")
    answer = ask(world, "register_households" + village)
    there = [row for row in whole if row["village_code"] == VILLAGE]
    assert answer.json["@odata.count"] == len(there)
    assert rows(world, "register_households" + village) == there
    link = urlsplit(ask(world, "register_households").json["@odata.nextLink"]).query
    refused(world, f"register_points?{link}", 400)
    refused(world, f"register_households?{link}&$filter=" + quote(f"village_code eq '{VILLAGE}'"), 400)


@pytest.mark.parametrize(
    "query",
    [
        "$filter=effective eq true",
        "$filter=work_date ge '2020-02-01'",
        "$filter=received_at ge 2020-02-01T00:00:00Z",
        "$filter=phone eq '1'",
        "$orderby=phone",
    ],
)
def test_what_registers_do_not_understand_is_refused(world: World, query: str) -> None:
    name, _, value = query.partition("=")
    refused(world, f"register_households?{name}={quote(value)}", 501)


def test_registers_beyond_ones_area_are_refused(world: World) -> None:
    answer = ask(world, "register_households?$filter=" + quote(f"town_code eq '{OTHER_TOWN}'"), who="bai")
    assert (answer.status_code, answer.json["error"]["code"]) == (403, "outside-area")


def test_the_rows_of_a_repeat_are_counted(world: World) -> None:
    whole = rows(world, "household_visit_rep_person")
    assert ask(world, "household_visit_rep_person/$count").text == str(len(whole))
    today_ = quote(f"work_date eq '{today()}'")
    answer = ask(world, f"household_visit_rep_person?$count=true&$top=1&$filter={today_}")
    assert answer.json["@odata.count"] == len([row for row in whole if row["work_date"] == str(today())])
    assert ask(world, "household_visit_rep_person/$count", who="ba").text == "0"
