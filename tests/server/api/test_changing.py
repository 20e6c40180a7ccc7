"""Reviews, devices, enrolment codes: who may, and what follows."""

import csv
import io

from tests.server.api.world import OTHER_VILLAGE, VILLAGE, World, sample


def fresh(world: World) -> str:
    record_id = world.push(sample("household_visit/pass/uneventful", device_id=world.device_id))
    world.follow()
    return record_id


def test_a_returned_record_is_out_of_the_figures_until_it_is_accepted(world: World) -> None:
    record_id = fresh(world)
    path = f"/api/v1/records/{record_id}"
    answer = world.post("bai", f"{path}/review", json={"status": "returned", "comment": "请核对人数"})
    assert answer.status_code == 202
    world.follow()
    verdict = world.get("bai", f"{path}/verdict").json
    assert (verdict["status"], verdict["comment"]) == ("returned", "请核对人数")
    assert verdict["decided_by"].startswith("staff:")
    assert not world.get("bai", path).json["effective"]
    world.post("bai", f"{path}/review", json={"status": "accepted"})
    world.follow()
    assert world.get("bai", path).json["effective"]


def test_a_return_without_a_comment_is_refused(world: World) -> None:
    answer = world.post(
        "bai", f"/api/v1/records/{world.ids['visit']}/review", json={"status": "returned", "comment": " "}
    )
    assert (answer.status_code, answer.json["code"]) == (422, "comment-missing")


def test_a_voided_record_says_who_when_and_why_in_the_list_the_record_and_the_export(world: World) -> None:
    record_id = fresh(world)
    path = f"/api/v1/records/{record_id}"
    answer = world.post("bai", f"{path}/review", json={"status": "voided", "comment": " "})
    assert (answer.status_code, answer.json["code"]) == (422, "void-reason")
    body = {"status": "voided", "comment": "培训时填的测试数据"}
    assert world.post("bai", f"{path}/review", json=body).status_code == 202
    world.follow()
    record = world.get("bai", path).json
    assert (record["status"], record["effective"], record["voided"]) == ("accepted", False, True)
    assert record["void"]["reason"] == "培训时填的测试数据" and record["void"]["by"].startswith("staff:")
    assert world.get("bai", f"{path}/verdict").json["voided"] == record["void"]
    listed = world.get("bai", "/api/v1/records?voided=1").json["items"]
    assert record_id in {item["record_id"] for item in listed}
    assert record_id not in {
        item["record_id"] for item in world.get("bai", "/api/v1/records?voided=0").json["items"]
    }
    again = world.post("bai", f"{path}/review", json=body)
    assert (again.status_code, again.json["code"]) == (409, "voided-already")
    assert "培训时填的测试数据" in again.json["detail"]
    row = exported(world)[record_id]
    assert (row["voided"], row["effective"], row["void_reason"]) == ("true", "false", "培训时填的测试数据")
    assert (row["voided_at"], row["voided_by"]) == (record["void"]["at"], record["void"]["by"])


def exported(world: World) -> dict[str, dict[str, str]]:
    text = world.get("bai", "/api/v1/export/household_visit.csv").data.decode("utf-8-sig")
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return {row["record_id"].lstrip("\t"): row for row in rows}


def test_a_void_is_taken_back_once(world: World) -> None:
    record_id = fresh(world)
    path = f"/api/v1/records/{record_id}"
    answer = world.post("bai", f"{path}/review", json={"status": "restored"})
    assert (answer.status_code, answer.json["code"]) == (409, "not-voided")
    world.post("bai", f"{path}/review", json={"status": "voided", "comment": "重复填报"})
    world.follow()
    world.post("bai", f"{path}/review", json={"status": "restored"})
    world.follow()
    record = world.get("bai", path).json
    assert (record["void"], record["voided"], record["effective"]) == (None, False, True)
    assert [review["status"] for review in record["reviews"]] == ["voided", "restored"]


def test_only_reviewers_of_the_area_review(world: World) -> None:
    path = f"/api/v1/records/{world.ids['visit']}/review"
    body = {"status": "returned", "comment": "请核对"}
    assert world.post(None, path, json=body).status_code == 401
    assert world.post("cun", path, json=body).status_code == 403
    assert world.post("ba", path, json=body).status_code == 404


def test_a_session_needs_the_csrf_token_and_a_bearer_token_does_not(world: World) -> None:
    client = world.signed_in("bai")
    path = f"/api/v1/records/{world.ids['visit']}/review"
    answer = client.post(path, json={"status": "accepted"})
    assert (answer.status_code, answer.json["code"]) == (403, "csrf")


def test_a_code_enrols_one_phone_of_the_own_area(world: World) -> None:
    answer = world.post("bai", "/api/v1/enrolment-codes", json={"villages": [VILLAGE]})
    assert answer.status_code == 201
    assert answer.json["link"].endswith(f"/phone/#enrol={answer.json['code']}")
    enrolled = world.post(None, "/api/v1/enrol", json={"code": answer.json["code"]})
    assert enrolled.status_code == 201
    assert world.post(None, "/api/v1/enrol", json={"code": answer.json["code"]}).status_code == 410


def test_a_code_for_another_area_or_for_none_is_refused(world: World) -> None:
    def status(villages: list[str]) -> int:
        return int(world.post("bai", "/api/v1/enrolment-codes", json={"villages": villages}).status_code)

    assert status([OTHER_VILLAGE]) == 403
    assert status(["370304102999"]) == 404
    assert status([]) == status(["370304102"]) == status(["x"]) == 422
    assert world.post("cun", "/api/v1/enrolment-codes", json={"villages": [VILLAGE]}).status_code == 403


def test_a_revoked_phone_is_shut_out_at_once(world: World) -> None:
    code = world.post("bai", "/api/v1/enrolment-codes", json={"villages": [VILLAGE]}).json["code"]
    phone = world.post(None, "/api/v1/enrol", json={"code": code}).json
    headers = {"Authorization": f"Bearer {phone['token']}"}
    assert world.get(None, "/api/v1/device", headers=headers).status_code == 200
    assert world.post("ba", f"/api/v1/devices/{phone['device_id']}/revoke").status_code == 404
    assert world.post("bai", f"/api/v1/devices/{phone['device_id']}/revoke").json["revoked"] is True
    assert world.get(None, "/api/v1/device", headers=headers).status_code == 401
