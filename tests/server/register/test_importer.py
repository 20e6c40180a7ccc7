import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.register.importer import import_file
from server.register.kinds import KINDS
from server.register.refusals import FileRefused
from server.register.upsert import upsert
from sync.store import Database, NotFound
from tests.server.register.tables import (
    AREAS,
    CAMPAIGN,
    ENTRY,
    HOUSEHOLD,
    OTHER_VILLAGE,
    TODAY,
    VILLAGE,
    counts,
    imported,
    write_csv,
    write_xlsx,
)


def reasons(report) -> list[tuple[int, str, str]]:
    return [(refused.row, refused.column, refused.reason.en) for refused in report.refused]


def register(store, village: str = VILLAGE) -> Database:
    return store.open(f"register-{village}")


def test_areas_make_the_villages_databases_and_documents(store) -> None:
    assert {"register-" + VILLAGE, "inbox-" + VILLAGE, "register-" + OTHER_VILLAGE, "office"} <= set(
        store.names()
    )
    village = register(store).get(f"village:{VILLAGE}")
    assert (village["type"], village["name"], village["town_code"], village["town_name"]) == (
        "village",
        "示范一村",
        "370304001",
        "城东街道",
    )
    assert village["grids"] == [{"code": f"{VILLAGE}01", "name": "第一网格"}]
    area = store.open("office").get(f"area:{VILLAGE}")
    assert (area["level"], area["parent_code"]) == ("village", "370304001")


def test_a_renamed_town_reaches_its_villages(store, tmp_path) -> None:
    report = imported(store, tmp_path, "areas", [{"code": "370304001", "name": "城东镇"}])
    assert counts(report) == (0, 1, 0, 0)
    assert register(store, OTHER_VILLAGE).get(f"village:{OTHER_VILLAGE}")["town_name"] == "城东镇"


def test_a_household_becomes_the_document_that_phones_read(store, tmp_path) -> None:
    row = HOUSEHOLD | {
        "phone": "+86 15400001234",
        "residents": "3",
        "special_groups": "低保;elder_alone",
        "lon": "117.8",
    }
    assert counts(imported(store, tmp_path, "households", [row])) == (1, 0, 0, 0)
    document = register(store).get("household:H1")
    assert document.pop("_rev").startswith("1-")
    assert document == {
        "_id": "household:H1",
        "type": "household",
        "household_id": "H1",
        "village_code": VILLAGE,
        "grid_code": f"{VILLAGE}01",
        "door_no": "1号",
        "address": "示范一村1号",
        "head_name": "单晓明",
        "head_search": "shanxiaoming sxm",
        "phone": "15400001234",
        "residents": 3,
        "special_groups": ["dibao", "elder_alone"],
        "lon": 117.8,
        "active_from": TODAY,
    }


def test_chinese_headers_and_numbers_out_of_excel_are_understood(store, tmp_path) -> None:
    row = {
        "户编号": 1001,
        "村代码": int(VILLAGE),
        "网格代码": int(f"{VILLAGE}01"),
        "门牌号": 1,
        "地址": "示范一村1号",
        "户主": "王五",
        "人口数": 3,
        "电话": 15400001234,
        "启用日期": "2020/1/20",
    }
    report = import_file(store, KINDS["households"], write_xlsx(tmp_path / "h.xlsx", [row]), today=TODAY)
    assert counts(report) == (1, 0, 0, 0), reasons(report)
    document = register(store).get("household:1001")
    assert (document["grid_code"], document["door_no"], document["residents"], document["active_from"]) == (
        f"{VILLAGE}01",
        "1",
        3,
        "2020-01-20",
    )


def test_importing_again_writes_nothing_where_nothing_changed(store, tmp_path) -> None:
    rows = [HOUSEHOLD, HOUSEHOLD | {"household_id": "H2"}]
    imported(store, tmp_path, "households", rows)
    before = register(store).info()["update_seq"]
    assert counts(imported(store, tmp_path, "households", rows, today="2020-03-01")) == (0, 0, 2, 0)
    assert register(store).info()["update_seq"] == before


def test_importing_again_changes_only_what_differs(store, tmp_path) -> None:
    imported(
        store,
        tmp_path,
        "households",
        [HOUSEHOLD | {"phone": "15400001234"}, HOUSEHOLD | {"household_id": "H2"}],
    )
    later = [HOUSEHOLD, HOUSEHOLD | {"household_id": "H2"}, HOUSEHOLD | {"household_id": "H3"}]
    assert counts(imported(store, tmp_path, "households", later, today="2020-03-01")) == (1, 1, 1, 0)
    changed = register(store).get("household:H1")
    assert "phone" not in changed
    assert changed["active_from"] == TODAY
    assert register(store).get("household:H3")["active_from"] == "2020-03-01"


def test_what_intake_knows_of_an_entry_survives_an_import(store, tmp_path) -> None:
    imported(store, tmp_path, "households", [HOUSEHOLD])
    database = register(store)
    database.put(database.get("household:H1") | {"summary": {"visits": 2}}, writer="server")
    assert counts(imported(store, tmp_path, "households", [HOUSEHOLD])) == (0, 0, 1, 0)
    assert counts(imported(store, tmp_path, "households", [HOUSEHOLD | {"residents": "4"}])) == (0, 1, 0, 0)
    assert database.get("household:H1")["summary"] == {"visits": 2}


def test_a_summary_written_in_the_middle_of_an_import_is_not_lost(store, tmp_path, monkeypatch) -> None:
    imported(store, tmp_path, "households", [HOUSEHOLD])
    database = register(store)
    bulk_docs, interrupted = type(database).bulk_docs, []

    def intake_comes_first(self, docs, **options):
        if not interrupted:
            interrupted.append(True)
            database.put(database.get("household:H1") | {"summary": {"visits": 1}}, writer="server")
        return bulk_docs(self, docs, **options)

    monkeypatch.setattr(type(database), "bulk_docs", intake_comes_first)
    assert counts(imported(store, tmp_path, "households", [HOUSEHOLD | {"residents": "4"}])) == (0, 1, 0, 0)
    document = database.get("household:H1")
    assert (document["residents"], document["summary"]) == (4, {"visits": 1})


def test_a_dry_run_reports_the_same_and_writes_nothing(store, tmp_path) -> None:
    rows = [HOUSEHOLD, HOUSEHOLD | {"household_id": "H2", "residents": "many"}]
    rehearsed = imported(store, tmp_path, "households", rows, dry_run=True)
    assert list(register(store).documents("household:")) == []
    done = imported(store, tmp_path, "households", rows)
    assert (
        (counts(rehearsed), reasons(rehearsed))
        == (counts(done), reasons(done))
        == ((1, 0, 0, 1), reasons(done))
    )


def test_a_dry_run_of_areas_creates_no_database(empty_store, tmp_path) -> None:
    assert counts(imported(empty_store, tmp_path, "areas", AREAS, dry_run=True)) == (5, 0, 0, 0)
    assert empty_store.names() == []


def test_an_id_that_may_have_been_rounded_is_imported_and_pointed_out(store, tmp_path) -> None:
    doubtful = {"household_id": "12345678901234567000"}
    rows = [HOUSEHOLD, HOUSEHOLD | doubtful, HOUSEHOLD | {"village_code": "1"} | doubtful]
    report = imported(store, tmp_path, "households", rows)
    assert counts(report) == (2, 0, 0, 1)
    (warning,) = report.warned
    assert (warning.row, warning.key, warning.column) == (3, doubtful["household_id"], "household_id")
    assert "may have been rounded" in warning.reason.en


def test_refused_rows_name_their_cells_and_the_others_are_imported(store, tmp_path) -> None:
    rows = [
        HOUSEHOLD | {"household_id": "good"},
        HOUSEHOLD | {"household_id": "a/b", "residents": "-1"},
        HOUSEHOLD | {"household_id": "H3", "village_code": "370304001999", "grid_code": "37030400199901"},
        HOUSEHOLD | {"household_id": "H4", "grid_code": f"{OTHER_VILLAGE}01"},
        HOUSEHOLD | {"household_id": "H5", "grid_code": f"{VILLAGE}02"},
        HOUSEHOLD | {"household_id": "H6", "head_name": ""},
        HOUSEHOLD | {"household_id": "H7", "active_from": "2020-02-02", "active_to": "2020-02-01"},
        HOUSEHOLD | {"household_id": "good", "head_name": "另一人"},
        HOUSEHOLD | {"household_id": "last"},
    ]
    report = imported(store, tmp_path, "households", rows)
    assert counts(report) == (2, 0, 0, 7)
    assert [(row, column) for row, column, _ in reasons(report)] == [
        (3, "household_id"),
        (3, "residents"),
        (4, "village_code"),
        (5, "grid_code"),
        (6, "grid_code"),
        (7, "head_name"),
        (8, ""),
        (9, "household_id"),
    ]
    assert reasons(report)[-1][2] == "the same key as row 2"
    assert register(store).get("household:good")["head_name"] == "单晓明"
    assert "register-370304001999" not in store.names()


def test_the_wrong_columns_are_all_named_and_nothing_is_imported(store, tmp_path) -> None:
    row = HOUSEHOLD | {"colour": "red", "户编号": "H1"}
    del row["address"], row["head_name"]
    with pytest.raises(FileRefused) as refused:
        imported(store, tmp_path, "households", [row])
    assert "Missing: address, head_name." in refused.value.en
    assert "Unknown: colour." in refused.value.en
    assert "Twice: household_id." in refused.value.en
    assert "缺少：地址（address）、户主（head_name）" in refused.value.zh
    assert list(register(store).documents("household:")) == []


def test_a_stray_comma_does_not_shift_a_row_unseen(store, tmp_path) -> None:
    path = write_csv(tmp_path / "h.csv", [HOUSEHOLD])
    path.write_text(path.read_text("utf-8").rstrip() + ",surplus\n", "utf-8")
    report = import_file(store, KINDS["households"], path, today=TODAY)
    assert [(row, reason) for row, _, reason in reasons(report)] == [
        (2, "more cells than the header has: a stray comma?")
    ]


def test_an_area_needs_its_parent(empty_store, tmp_path) -> None:
    report = imported(empty_store, tmp_path, "areas", [AREAS[0], AREAS[2]])
    assert counts(report) == (1, 0, 0, 1)
    assert reasons(report) == [(3, "code", "its parent 370304001 does not exist")]


@pytest.mark.parametrize("code", ["37030", "3703040019", "37030400190", "E70304001901", "3.70304E+11", "-1"])
def test_an_area_code_of_the_wrong_shape_is_refused(empty_store, tmp_path, code) -> None:
    assert counts(imported(empty_store, tmp_path, "areas", [{"code": code, "name": "某村"}])) == (0, 0, 0, 1)


def test_the_level_follows_from_the_code_and_is_checked_when_given(empty_store, tmp_path) -> None:
    rows = [
        {"code": "370304", "name": "博山区", "level": "district"},
        {"code": "370304001", "name": "x", "level": "村（社区）"},
    ]
    assert reasons(imported(empty_store, tmp_path, "areas", rows)) == [
        (3, "", "a code of 9 digits is a town")
    ]


@pytest.fixture
def campaign(store, tmp_path) -> None:
    imported(store, tmp_path, "households", [HOUSEHOLD])
    assert counts(imported(store, tmp_path, "campaigns", [CAMPAIGN])) == (1, 0, 0, 0)


@pytest.mark.usefixtures("campaign")
def test_a_roster_entry_takes_the_campaigns_items_and_brings_the_campaign_along(store, tmp_path) -> None:
    assert counts(imported(store, tmp_path, "roster", [ENTRY])) == (1, 0, 0, 0)
    entry = register(store).get("roster:C1:00001")
    assert entry["roster_entry_id"] == "C1:00001"
    assert entry["category"] == "dibao"
    assert entry["entitlement"] == [
        {"item_code": "VEG_BOX", "qty": 1, "unit": "box"},
        {"item_code": "RICE_BAG", "qty": 1, "unit": "bag"},
    ]
    assert register(store).get("campaign:C1")["name"] == {"zh": "送爱心", "en": "送爱心"}
    with pytest.raises(NotFound):
        register(store, OTHER_VILLAGE).get("campaign:C1")


@pytest.mark.usefixtures("campaign")
def test_a_changed_campaign_reaches_its_copies(store, tmp_path) -> None:
    imported(store, tmp_path, "roster", [ENTRY])
    imported(store, tmp_path, "campaigns", [CAMPAIGN | {"ends_on": "2020-04-01"}])
    assert register(store).get("campaign:C1")["ends_on"] == "2020-04-01"


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"campaign_id": "C2"}, "campaign_id"),
        ({"household_id": "H9"}, "household_id"),
        ({"village_code": OTHER_VILLAGE}, "household_id"),
        ({"category": "富户"}, "category"),
        ({"entry_no": "1/2"}, "entry_no"),
    ],
)
def test_a_roster_entry_that_refers_to_nothing_is_refused(store, tmp_path, change, column) -> None:
    report = imported(store, tmp_path, "roster", [ENTRY | change])
    assert counts(report) == (0, 0, 0, 1)
    assert reasons(report)[0][1] == column


def test_an_id_moves_to_another_village_only_after_it_was_ended(store, tmp_path) -> None:
    point = {
        "point_id": "P1",
        "village_code": VILLAGE,
        "name": "村委会",
        "place_type": "村(居)委会",
        "indoor_outdoor": "室内",
        "area_m2": "80",
        "interval_h": "24",
    }
    imported(store, tmp_path, "points", [point])
    moved = point | {"village_code": OTHER_VILLAGE}
    assert "end it there first" in reasons(imported(store, tmp_path, "points", [moved]))[0][2]
    imported(store, tmp_path, "points", [point | {"active_to": "2020-02-20"}])
    assert counts(imported(store, tmp_path, "points", [moved])) == (1, 0, 0, 0)


def test_supply_points_belong_to_the_office(store, tmp_path) -> None:
    row = {
        "supply_point_id": "S1",
        "name": "超市",
        "kind": "超市",
        "town_code": "370304001",
        "village_code": VILLAGE,
    }
    wrong = row | {"supply_point_id": "S2", "town_code": "370304002"}
    assert counts(imported(store, tmp_path, "supply-points", [row, wrong])) == (1, 0, 0, 1)
    assert store.open("office").get("supply_point:S1")["kind"] == "supermarket"


def test_an_import_that_broke_off_is_finished_by_running_it_again(empty_store, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("server.register.follow_up.run", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        imported(empty_store, tmp_path, "areas", AREAS)
    monkeypatch.undo()
    assert counts(imported(empty_store, tmp_path, "areas", AREAS)) == (0, 0, 5, 0)
    assert register(empty_store).get(f"village:{VILLAGE}")["name"] == "示范一村"


def test_every_document_says_who_wrote_it(store, tmp_path) -> None:
    imported(store, tmp_path, "households", [HOUSEHOLD])
    change = register(store).changes(doc_ids=["household:H1"], receipts=True).rows[0]
    assert change.leaves[0].writer == "server"


cells = st.one_of(
    st.just(""),
    st.sampled_from([VILLAGE, f"{VILLAGE}01", "H1", "3", "2020-02-21", "低保"]),
    st.text(max_size=12),
)


@given(rows=st.lists(st.fixed_dictionaries(dict.fromkeys(HOUSEHOLD, cells)), max_size=6))
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_row_is_counted_exactly_once(store, tmp_path, rows) -> None:
    path = write_csv(tmp_path / "fuzz.csv", [HOUSEHOLD, *rows])
    filled = sum(any(value.strip() for value in row.values()) for row in rows)
    try:
        report = import_file(store, KINDS["households"], path, today=TODAY, dry_run=True)
    except FileRefused as error:
        assert any("\0" in value for row in rows for value in row.values()), error
    else:
        assert report.added + report.refused_rows == filled + 1


def test_documents_that_never_stand_still_end_in_an_error_and_not_in_a_loop(store, monkeypatch) -> None:
    database = register(store)
    monkeypatch.setattr(
        type(database), "bulk_docs", lambda self, docs, **_: [{"id": docs[0]["_id"], "error": "conflict"}]
    )
    with pytest.raises(Exception, match="kept changing"):
        upsert(store, database.name, [{"_id": "household:H1", "type": "household"}])
