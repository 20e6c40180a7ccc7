"""A list from its import to its answer, in a small real district."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest

from server.lists import answering, archive, outcomes, reconciling
from server.lists.outcomes import OPEN
from server.lists.reconciling import Reconciled
from server.lists.refusals import Refused
from server.readmodel.tables import metadata
from tests.server.api.world import TOWN, VILLAGE, World, sample
from tests.server.lists import pushed

DING, SANFENG, NOBODY, BING = 3, 4, 5, 6  # rows of the workbook


def standing(world: World, list_id: str) -> Reconciled:
    return reconciling.reconciled(world.gridbook, list_id)


def decide(world: World, list_id: str, row: int, outcome: str, seen: int = 0, **more: object) -> None:
    reconciling.decide(
        world.gridbook, list_id, row, pushed.member(world), seen=seen, outcome=outcome, **more  # type: ignore[arg-type]
    )  # fmt: skip


def test_who_has_the_number_and_the_name_and_came_before_the_list_is_managed_already(world: World) -> None:
    made = pushed.kept(world)
    found = standing(world, made.list_id)
    assert [found.standing.state(row) for row in pushed.rows(world, made)] == [
        "already_managed",
        OPEN,
        OPEN,
        OPEN,
    ]
    assert found.standing.last[DING].by is None


def test_candidates_come_with_their_reasons_the_likeliest_first(world: World) -> None:
    found = standing(world, pushed.kept(world).list_id)
    told = {each.key: each.reasons for each in found.candidates[SANFENG]}
    assert next(iter(told)) == f"household:{VILLAGE}:H4"
    assert told[f"household:{VILLAGE}:H4"] == ("phone", "village")
    assert NOBODY not in found.candidates
    assert {each.reasons for each in found.candidates[BING]} == {("name",)}
    assert {each.key.rpartition(":")[2] for each in found.candidates[BING]} == {"H1", "BH1", "CH1"}


def test_the_same_number_under_another_name_is_for_a_clerk_to_judge(world: World) -> None:
    made = pushed.kept(world, pushed.file(pushed.workbook([[1, "别的名字", pushed.DING_ID]])))
    found = standing(world, made.list_id)
    assert found.standing.state(3) == OPEN
    assert "id" in found.candidates[3][0].reasons and not found.candidates[3][0].sure


def test_a_number_that_excel_cut_to_15_digits_still_brings_up_its_bearer(world: World) -> None:
    made = pushed.kept(world, pushed.file(pushed.workbook([[1, pushed.DING, int(pushed.DING_ID)]])))
    found = standing(world, made.list_id)
    assert "id_begin" in found.candidates[3][0].reasons
    assert found.standing.state(3) == OPEN


def test_who_was_found_only_after_the_list_came_is_not_managed_already(own_world: World) -> None:
    made = pushed.kept(own_world)
    record = sample("household_visit/pass/two_people", device_id=own_world.device_id, household_id="H4")
    record["answers"]["rep_person"][0] |= {
        "person_name": "查无此人",
        "id_number": pushed.ABSENT_ID,
        "sex": "male",
        "age": 70,
    }
    own_world.push(record)
    own_world.follow()
    reconciling.match(own_world.gridbook, made.list_id)
    found = standing(own_world, made.list_id)
    assert found.candidates[NOBODY][0].sure
    assert found.standing.state(NOBODY) == OPEN


def test_what_the_match_decided_falls_with_its_record(own_world: World) -> None:
    made = pushed.kept(own_world)
    reconciling.match(own_world.gridbook, made.list_id)
    assert len(archive.decisions(own_world.gridbook.store, made.list_id)) == 1, (
        "matching again decides nothing twice"
    )
    from server.intake import review

    review.write(own_world.gridbook.store, own_world.ids["people"], "returned", "看错了", "x")
    own_world.follow()
    reconciling.match(own_world.gridbook, made.list_id)
    assert standing(own_world, made.list_id).standing.state(DING) == OPEN


def test_what_a_clerk_decided_stands_when_the_list_is_matched_again(world: World) -> None:
    made = pushed.kept(world)
    decide(world, made.list_id, DING, "not_here", seen=1, remark="已搬走")
    reconciling.match(world.gridbook, made.list_id)
    assert standing(world, made.list_id).standing.state(DING) == "not_here"


def test_of_two_clerks_at_one_row_the_second_is_told(world: World) -> None:
    made = pushed.kept(world)
    decide(world, made.list_id, NOBODY, "wrong_info")
    with pytest.raises(Refused, match="list-decided-meanwhile"):
        decide(world, made.list_id, NOBODY, "missed")
    assert standing(world, made.list_id).standing.state(NOBODY) == "wrong_info"


def test_only_who_was_offered_can_be_confirmed(world: World) -> None:
    made = pushed.kept(world)
    with pytest.raises(Refused, match="list-candidate-unknown"):
        decide(world, made.list_id, NOBODY, "missed", candidate="household:370304102901:H1")


def test_a_town_sees_and_decides_its_own_names_only(world: World) -> None:
    made = pushed.kept(world)
    seen = reconciling.reconciled(world.gridbook, made.list_id, TOWN)
    assert archive.numbers(seen.rows) == [DING, SANFENG]
    assert sum(seen.standing.counts().values()) == 2
    with pytest.raises(Refused, match="list-row-unknown"):
        reconciling.decide(
            world.gridbook, made.list_id, NOBODY, pushed.member(world, "bai"), seen=0, outcome="missed"
        )


def test_the_same_file_is_recognized_and_a_corrected_one_takes_its_place(world: World) -> None:
    source = pushed.file(pushed.workbook())
    made = pushed.kept(world, source)
    decide(world, made.list_id, NOBODY, "wrong_info", remark="空号")
    with pytest.raises(Refused, match="list-exists"):
        pushed.kept(world, source)
    corrected = pushed.file(pushed.workbook([*pushed.NAMES[1:], [5, "新来的"]]))
    after = pushed.kept(world, corrected, supersedes=made.list_id)
    assert archive.one(world.gridbook.store, made.list_id).superseded_by == after.list_id
    found = standing(world, after.list_id)
    assert found.standing.state(4) == "wrong_info", "what was decided about an unchanged row is taken over"
    with pytest.raises(Refused, match="list-superseded"):
        decide(world, made.list_id, BING, "missed")


def test_no_number_stands_in_the_read_model_and_none_in_a_candidate(world: World) -> None:
    made = pushed.kept(world)
    candidates, _ = archive.candidates(world.gridbook.store, made.list_id)
    assert pushed.DING_ID not in str(candidates) and candidates
    with world.gridbook.readmodel.engine.connect() as connection:
        for table in metadata.sorted_tables:
            text = str(connection.execute(table.select()).all())
            assert pushed.ABSENT_ID not in text, table.name


# The answer


def test_the_answer_is_the_same_workbook_with_its_columns_filled(world: World) -> None:
    book = pushed.workbook()
    source = pushed.file(book)
    made = pushed.kept(world, source)
    decide(world, made.list_id, NOBODY, "wrong_info", remark="=1+1")
    answer = answering.make(world.gridbook, made.list_id, pushed.member(world), "反馈市指挥部")
    data = archive.answer_file(world.gridbook.store, made.list_id, answer.n)
    sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    assert [sheet.cell(row, 7).value for row in (3, 4, 5, 6)] == ["前期已排查", None, "信息有误", None]
    assert [sheet.cell(row, 9).value for row in (3, 5)] == ["系统比对", "Dong"]
    assert (sheet["J2"].value, sheet["J5"].value, sheet["J5"].data_type) == ("核查备注", "=1+1", "s")
    assert sheet["C3"].value == pushed.DING_ID
    assert answer.counts == {
        **dict.fromkeys(outcomes.STATES, 0),
        "already_managed": 1,
        "wrong_info": 1,
        OPEN: 2,
    }


def test_everything_else_of_the_workbook_stays_byte_for_byte(world: World) -> None:
    source = pushed.file(pushed.workbook())
    made = pushed.kept(world, source)
    decide(world, made.list_id, NOBODY, "wrong_info")
    answer = answering.make(world.gridbook, made.list_id, pushed.member(world), "反馈")
    data = archive.answer_file(world.gridbook.store, made.list_id, answer.n)
    with zipfile.ZipFile(io.BytesIO(source)) as before, zipfile.ZipFile(io.BytesIO(data)) as after:
        assert before.namelist() == after.namelist()
        changed = [name for name in before.namelist() if before.read(name) != after.read(name)]
    assert changed == ["xl/worksheets/sheet1.xml"]
    old, new = openpyxl.load_workbook(io.BytesIO(source)), openpyxl.load_workbook(io.BytesIO(data))
    for cell in (each for line in old.worksheets[0].iter_rows() for each in line if each.column <= 6):
        same = new.worksheets[0][cell.coordinate]
        assert (same.value, same.fill.fgColor.rgb, same.font.sz) == (
            cell.value,
            cell.fill.fgColor.rgb,
            cell.font.sz,
        )
    assert new.worksheets[0].merged_cells.ranges == old.worksheets[0].merged_cells.ranges
    assert new.worksheets[0].column_dimensions["C"].width == 31.5


def test_a_csv_goes_back_in_its_own_encoding(world: World) -> None:
    text = f"姓名;身份证号;情况说明\r\n示范丁;{pushed.DING_ID};\r\n查无此人;{pushed.ABSENT_ID};\r\n"
    made = pushed.kept(world, text.encode("gb18030"), "名单.csv")
    answer = answering.make(world.gridbook, made.list_id, pushed.member(world), "反馈")
    lines = archive.answer_file(world.gridbook.store, made.list_id, answer.n).decode("gb18030").split("\r\n")
    assert lines[0] == "姓名;身份证号;情况说明;核查结果;核查时间;核查人"
    assert lines[1].startswith(f"示范丁;{pushed.DING_ID};;前期已排查;")
    assert lines[2] == f"查无此人;{pushed.ABSENT_ID};;;;"


def test_answers_are_numbered_and_as_of_their_moment(world: World) -> None:
    from datetime import datetime

    made, me = pushed.kept(world), pushed.member(world)
    first = answering.make(world.gridbook, made.list_id, me, "一报")
    decide(world, made.list_id, NOBODY, "missed")
    as_of = datetime.fromisoformat(first.as_of)
    again = answering.make(world.gridbook, made.list_id, me, "补一份一报", as_of)
    latest = answering.make(world.gridbook, made.list_id, me, "二报")
    assert [each.n for each in archive.answers(world.gridbook.store, made.list_id)] == [1, 2, 3]
    assert (again.digest, again.counts) == (first.digest, first.counts)
    assert latest.counts["missed"] == 1 and latest.digest != first.digest
    with pytest.raises(Refused, match="list-as-of-future"):
        answering.make(
            world.gridbook, made.list_id, me, "x", datetime.fromisoformat("2999-01-01T00:00:00+08:00")
        )
