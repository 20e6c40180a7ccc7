"""Staff by API and page: Admin manages people, Dong and Bai do not. Cun is deactivated and comes back."""

from __future__ import annotations

import re
from typing import Any

import pytest

from server.people import staff
from tests.server.api.world import OTHER_VILLAGE, PASSWORD, TOWN, VILLAGE, VILLAGE_2, World

NEW = {"username": "wang.li", "name": "王丽", "roles": ["town_staff"], "area": TOWN}


def csrf(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def called(world: World, username: str) -> dict[str, Any]:
    items = world.get("admin", f"/api/v1/staff?text={username}").json["items"]
    return dict(next(item for item in items if item["username"] == username))


def test_somebody_new_sets_a_password_by_a_code_and_signs_in(world: World) -> None:
    made = world.post("admin", "/api/v1/staff", json=NEW)
    assert made.status_code == 201
    assert made.json["staff"]["roles"] == ["town_staff"]
    body = {"username": "wang.li", "code": made.json["code"], "password": "a password of one's own"}
    assert world.post(None, "/api/v1/password", json={**body, "password": "short"}).status_code == 422
    assert world.post(None, "/api/v1/password", json=body).status_code == 204
    assert world.post(None, "/api/v1/password", json=body).json["code"] == "password-code"
    client = world.app.test_client()
    signed = client.post("/sign-in", data={"username": "wang.li", "password": body["password"]})
    assert signed.status_code == 303
    assert called(world, "wang.li")["last_sign_in_at"] is not None
    assert world.post("admin", "/api/v1/staff", json=NEW).json["code"] == "staff-taken"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"username": ""}, 422),
        ({"username": " x "}, 422),
        ({"username": "x" * 65}, 422),
        ({"roles": []}, 422),
        ({"roles": ["emperor"]}, 422),
        ({"area": "3703"}, 422),
        ({"area": "370399"}, 404),
        ({"password": "mine"}, 422),
    ],
)
def test_somebody_who_cannot_be_is_not_added(world: World, change: dict[str, Any], status: int) -> None:
    before = len(staff.every(world.gridbook.people))
    answer = world.post("admin", "/api/v1/staff", json={**NEW, "username": "li.si", **change})
    assert answer.status_code == status
    assert len(staff.every(world.gridbook.people)) == before


def test_only_administrators_manage_people(world: World) -> None:
    cun = called(world, "cun")["staff_id"]
    for who in ("dong", "bai", "cun"):
        assert world.get(who, "/api/v1/staff").status_code == 403
        assert world.post(who, f"/api/v1/staff/{cun}/disable").status_code == 403
        assert world.post(who, f"/api/v1/staff/{cun}/password-code").status_code == 403
        assert world.signed_in(who).get("/people").status_code == 403
    assert world.get(None, "/api/v1/staff").status_code == 401
    assert world.get("admin", "/api/v1/staff/nobody").status_code == 404


def test_who_is_deactivated_is_out_at_once_and_may_come_back(world: World) -> None:
    member = staff.add(
        world.gridbook.people,
        username="mei",
        password=PASSWORD,
        name="Mei",
        roles=["inspector"],
        area=VILLAGE,
    )
    path = f"/api/v1/staff/{member.staff_id}"
    client = world.signed_in("mei")
    assert client.get("/records").status_code == 200
    assert world.post("admin", f"{path}/disable").json["disabled"] is True
    assert client.get("/records").status_code != 200
    assert world.post("admin", f"{path}/password-code").json["code"] == "staff-disabled"
    assert world.post("admin", f"{path}/enable").json["disabled"] is False
    assert world.signed_in("mei").get("/records").status_code == 200
    own = called(world, "admin")["staff_id"]
    assert world.post("admin", f"/api/v1/staff/{own}/disable").json["code"] == "staff-self"


def test_staff_are_found_by_role_state_area_and_name_page_by_page(world: World) -> None:
    def names(query: str) -> list[str]:
        return [item["username"] for item in world.get("admin", f"/api/v1/staff?{query}").json["items"]]

    assert "bai" in names("role=town_staff") and "dong" not in names("role=town_staff")
    assert "dong" not in names(f"area={TOWN}") and "bai" in names(f"area={TOWN}")
    assert names("text=DON") == ["dong"]
    assert names("state=disabled&text=dong") == []
    seen: list[str] = []
    cursor = ""
    while True:
        page = world.get("admin", f"/api/v1/staff?limit=2{cursor}").json
        seen += [item["username"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == names("limit=500")
    assert world.get("admin", "/api/v1/staff?cursor=x").status_code == 422


def test_an_administrator_adds_somebody_on_the_page_who_sets_a_password(world: World) -> None:
    client = world.signed_in("admin")
    page = client.get("/people?role=town_staff").text
    assert "Bai" in page and "Dong" not in page
    form = {
        "csrf_token": csrf(page),
        "username": "zhao",
        "name": "赵六",
        "role": "inspector",
        "area": VILLAGE,
    }
    assert client.post("/people", data={**form, "csrf_token": ""}).status_code == 403
    assert client.post("/people", data={**form, "role": []}).status_code == 422
    card = client.post("/people", data=form).text
    code = re.search(r'class="letters">([^<]+)<', card)
    assert code is not None and "zhao" in card
    assert "待设密码" in client.get("/people?text=zhao").text
    stranger = world.app.test_client()
    given = {"username": "zhao", "code": code[1], "password": "ten thousand li", "again": "ten thousand li"}
    assert "两次输入的密码不同" in stranger.post("/password", data={**given, "again": "x"}).text
    assert stranger.post("/password", data={**given, "code": "2222-2222"}).status_code == 422
    assert (
        stranger.post("/password", data=given, headers={"Origin": "https://evil.example"}).status_code == 403
    )
    assert "密码已设置" in stranger.post("/password", data=given, follow_redirects=True).text
    member = called(world, "zhao")["staff_id"]
    told = client.post(
        f"/people/{member}/disable", data={"csrf_token": form["csrf_token"]}, follow_redirects=True
    )
    assert "已停用“赵六”" in told.text
    assert client.post(f"/people/{member}/burn", data={"csrf_token": form["csrf_token"]}).status_code == 404


def test_a_phone_gets_another_village_and_its_page_says_who_enrolled_it(world: World) -> None:
    made = world.post("bai", "/api/v1/enrolment-codes", json={"villages": [VILLAGE]}).json
    phone = world.post(None, "/api/v1/enrol", json={"code": made["code"], "device_label": "小李"}).json
    path = f"/api/v1/devices/{phone['device_id']}"
    both = world.post("bai", f"{path}/villages", json={"villages": [VILLAGE_2, VILLAGE]})
    assert both.json["villages"] == [VILLAGE, VILLAGE_2]
    assert world.post("bai", f"{path}/villages", json={"villages": [OTHER_VILLAGE]}).status_code == 403
    assert world.post("bai", f"{path}/villages", json={"villages": []}).status_code == 422
    assert world.post("ba", f"{path}/villages", json={"villages": [VILLAGE]}).status_code == 404
    assert world.post("cun", f"{path}/villages", json={"villages": [VILLAGE]}).status_code == 403
    token = {"Authorization": f"Bearer {phone['token']}"}
    known = world.get(None, "/api/v1/device", headers=token).json["villages"]
    assert [village["code"] for village in known] == [VILLAGE, VILLAGE_2]
    client = world.signed_in("bai")
    page = client.get(f"/devices/{phone['device_id']}").text
    assert "Bai" in page and "小李" in page
    form = {"csrf_token": csrf(page), "drop": VILLAGE}
    told = client.post(f"/devices/{phone['device_id']}/villages", data=form, follow_redirects=True).text
    assert "已更改" in told
    assert (
        "没有更改"
        in client.post(
            f"/devices/{phone['device_id']}/villages", data={**form, "drop": VILLAGE_2}, follow_redirects=True
        ).text
    )
    assert "小李" in client.get(f"/devices?village={VILLAGE_2}&state=heard&text=小").text
    assert "没有符合条件的手机" in client.get("/devices?state=expired").text
    assert client.get("/devices?cursor=x").status_code == 422
    world.post("bai", f"{path}/revoke")
    refused = world.post("bai", f"{path}/villages", json={"villages": [VILLAGE]})
    assert (refused.status_code, refused.json["code"]) == (409, "device-revoked")
