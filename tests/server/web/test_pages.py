"""The staff pages as HTML: who gets in, what they show, what they hide, what a form must carry."""

import json
import re

import pytest

from server.web.language import FOLDER
from tests.server.api.world import OTHER_VILLAGE, PASSWORD, TOWN, VILLAGE, World, sample, today

PAGES = [
    "/",
    f"/?area={TOWN}",
    f"/?area={VILLAGE}",
    "/?sort=-A4&indicator=C2'",
    "/figure?indicator=A3",
    f"/figure?indicator=A4&area={VILLAGE}&of=denominator",
    f"/figure?indicator=A2_visits&area={TOWN}&span=week",
    "/figure?indicator=B5",
    "/figure?indicator=A10_filler&of=denominator",
    "/figure?indicator=J1_median",
    f"/figure?indicator=A3&area={VILLAGE}&grid=none",
    "/records",
    "/quarantine",
    "/not-reached",
    "/roster",
    "/roster?campaign=aixin&state=all&sort=-waiting&by=-D3",
    "/points",
    f"/points?village={VILLAGE}&state=all&sort=-village&by=-C1",
    "/disinfections?finding=wrong",
    "/stock",
    "/stock?item=MASK&differing=1&sort=-village",
    f"/households/H2?village={VILLAGE}",
    f"/points/P1?village={VILLAGE}",
    "/roster/aixin:1",
    "/devices",
    "/forms",
    "/forms/household_visit",
    "/exports",
    "/bulletins",
    "/bulletins/preview",
    "/villages",
    "/villages?state=silent",
    "/sheets",
    "/api/v1/",
]

GROUPS = {name.partition(".")[0] for name in json.loads((FOLDER / "zh.json").read_text("utf-8"))}


def csrf(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', page)
    assert found, "the page has no CSRF token"
    return found[1]


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/api/v1/"])
def test_a_stranger_is_asked_to_sign_in_and_then_led_back(world: World, path: str) -> None:
    answer = world.app.test_client().get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in?next=")


def test_after_signing_in_one_is_where_one_wanted_to_go(world: World) -> None:
    client = world.app.test_client()
    answer = client.post(
        "/sign-in", data={"username": "bai", "password": PASSWORD, "next": "/records?form=household_visit"}
    )
    assert answer.headers["Location"] == "/records?form=household_visit"


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x=1",
    ],
)
def test_signing_in_never_leads_to_another_host(world: World, onward: str) -> None:
    answer = world.app.test_client().post(
        "/sign-in", data={"username": "bai", "password": PASSWORD, "next": onward}
    )
    assert answer.headers["Location"] == "/"


def test_a_wrong_password_is_told_in_a_sentence_and_keeps_the_name(world: World) -> None:
    answer = world.app.test_client().post("/sign-in", data={"username": "cun", "password": "wrong password"})
    assert answer.status_code == 401
    assert "用户名或密码不对" in answer.text and 'value="cun"' in answer.text


def test_a_form_of_another_site_cannot_sign_anybody_in(world: World) -> None:
    answer = world.app.test_client().post(
        "/sign-in", data={"username": "bai", "password": PASSWORD}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_in_both_languages(world: World, path: str, language: str) -> None:
    client = world.signed_in("dong")
    client.set_cookie("lang", language)
    answer = client.get(path)
    assert answer.status_code == 200
    assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in answer.text
    keys = re.findall(rf">\s*((?:{'|'.join(GROUPS)})\.[a-z_]+)\s*<", answer.text)
    assert keys == []
    for once in ("<h1", "<main", 'class="skip"'):
        assert answer.text.count(once) == 1


@pytest.mark.parametrize("path", PAGES)
def test_no_page_runs_inline_script_or_style_or_loads_from_elsewhere(world: World, path: str) -> None:
    page = world.signed_in("dong").get(path).text
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style", page)
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page)


@pytest.mark.parametrize("path", PAGES)
def test_no_page_shows_a_name_or_number_in_full(world: World, path: str) -> None:
    page = world.signed_in("dong").get(path).text
    for secret in ("示范丙", "欧阳示范", "张三丰", "420106198808080006", "15400000002", "501室"):
        assert secret not in page


@pytest.mark.parametrize("path", ["/", "/records", "/quarantine", "/roster", "/points", "/not-reached"])
def test_an_empty_district_says_what_to_do(empty_world: World, path: str) -> None:
    page = empty_world.signed_in("dong").get(path)
    assert page.status_code == 200
    if path in ("/records", "/quarantine"):
        assert 'class="empty"' in page.text


def test_a_town_clerk_sees_the_own_town_and_is_told_why_not_another(world: World) -> None:
    client = world.signed_in("ba")
    assert "白塔镇" in client.get("/").text and "域城镇" not in client.get("/").text
    answer = client.get(f"/?area={TOWN}")
    assert answer.status_code == 403 and "不在您的辖区" in answer.text
    assert client.get(f"/records/{world.ids['visit']}").status_code == 404


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/?day=2020-02-30", 422, "不是有效的日期"),
        ("/?day=0002-02-21", 422, "年份应在 2000 到 2999 之间"),
        ("/?area=999999999", 404, "没有代码为"),
        ("/records?from=x", 422, "不是有效的日期"),
        ("/records?cursor=broken", 422, "游标"),
        ("/records/nobody", 404, "没有编号为"),
        ("/forms/poem", 404, "没有编号为"),
        ("/nothing", 404, "没有这个地址"),
        ("/exports/file?table=poem", 404, "没有编号为"),
        ("/?sort=-nonsense&indicator=nonsense", 200, "总览"),
    ],
)
def test_a_wrong_address_is_answered_by_a_sentence(world: World, path: str, status: int, words: str) -> None:
    answer = world.signed_in("dong").get(path)
    assert answer.status_code == status
    assert words in answer.text and "Traceback" not in answer.text


def test_the_way_up_is_shown_where_there_is_one(world: World) -> None:
    client = world.signed_in("dong")
    assert 'class="crumbs"' not in client.get("/").text
    assert 'class="crumbs"' in client.get(f"/?area={TOWN}").text


def test_figures_are_compared_with_the_day_before_and_open_to_their_records(world: World) -> None:
    page = world.signed_in("dong").get("/").text
    assert f"/figure?day={today()}&amp;indicator=A2_visits&amp;area=370304" in page
    assert re.search(r'data-figure="370304-A2_visits">2<', page)


def test_what_is_counted_by_day_is_shown_over_seven_days_too(world: World) -> None:
    client = world.signed_in("dong")
    of_day, of_week = client.get("/").text, client.get(f"/?area={TOWN}&span=week").text
    assert re.search(
        r'<span class="unseen">近7日合计 </span><a class="quiet" href="[^"]+span=week">3<', of_day
    )
    assert f'data-figure="{VILLAGE}-C1"' in of_week and 'href="/?area=' in of_week
    assert re.search(r'span=week"[^>]*aria-current="true"', of_week)
    assert f"area={VILLAGE}&amp;span=week" in of_week, "the way down keeps what was chosen"


def test_the_map_s_table_has_every_village_with_its_number_and_its_page(world: World) -> None:
    client = world.signed_in("dong")
    page = client.get("/?indicator=A2_visits&tiles=-value&span=week").text
    table = page[page.index('<table id="map-table"') :].partition("</table>")[0]
    rows = re.findall(r'<a href="([^"]+)">([^<]+)</a></th><td class="number" data-value="(\d+)">', table)
    assert [(name, value) for _, name, value in rows] == [
        ("示范一村", "3"),
        ("示范二村", "0"),
        ("示范三村", "0"),
    ]
    assert f"area={VILLAGE}" in rows[0][0] and "indicator=A2_visits" in rows[0][0]
    assert 'aria-sort="descending"' in table
    assert "map-table" not in client.get(f"/?area={VILLAGE}").text


def test_the_overview_says_who_was_not_heard_from_and_leads_there(world: World) -> None:
    page = world.signed_in("dong").get("/").text
    assert f"/villages?state=silent&amp;day={today()}" in page
    assert "未同步手机" in page and 'href="/quarantine"' in page and 'href="/devices"' in page
    assert 'href="/devices"' not in world.signed_in("cun").get("/").text


def test_a_record_shows_labels_choices_persons_problems_and_its_photo(world: World) -> None:
    client = world.signed_in("bai")
    page = client.get(f"/records/{world.ids['too_hot']}").text
    assert "体温（℃）" in page and "43.1" in page and "体温应在32.0～43.0之间" in page
    assert "人员登记 1" in page and "示**" in page
    delivery = client.get(f"/records/{world.ids['delivery']}").text
    address = re.search(r'<img src="([^"]+)"', delivery)
    assert address
    photo = client.get(address[1])
    assert (photo.status_code, photo.content_type) == (200, "image/png")
    assert "sandbox" in photo.headers["Content-Security-Policy"]


def test_a_photo_that_calls_itself_html_is_never_shown_as_html(world: World) -> None:
    record = sample(
        "supply_delivery/pass/one_box_one_bag", device_id=world.device_id, roster_entry_id="aixin:3"
    )
    record["_attachments"] = {
        "signature.png": {"content_type": "text/html", "data": "PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=="}
    }
    world.push(record)
    world.follow()
    answer = world.signed_in("bai").get(f"/records/{record['_id']}/attachments/signature.png")
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == "attachment"


def test_a_signature_is_kept_from_those_who_do_not_review(world: World) -> None:
    client = world.signed_in("cun")
    assert client.get(f"/records/{world.ids['delivery']}/attachments/signature.png").status_code == 403
    assert "<img" not in client.get(f"/records/{world.ids['delivery']}").text


def test_markup_in_a_record_stays_text(world: World) -> None:
    evil = "<script>alert(1)</script>"
    record = sample(
        "disinfection_log/pass/incident", device_id=world.device_id, product_name=evil, stranger=evil
    )
    record["filler_id"] = evil
    world.push(record)
    world.follow()
    client = world.signed_in("dong")
    for path in (f"/records/{record['_id']}", "/records", "/quarantine"):
        assert "<script>alert" not in client.get(path).text


@pytest.mark.parametrize(
    "answers",
    [None, [], "text", 7, {"rep_person": "x"}, {"rep_person": [7, None]}, {"visit_result": {"a": 1}}],
)
def test_a_record_of_the_wrong_shape_still_has_its_page(world: World, answers: object) -> None:
    record = sample("household_visit/pass/uneventful", device_id=world.device_id)
    record["answers"] = answers
    if answers is None:
        del record["answers"]
    world.push(record)
    world.follow()
    client = world.signed_in("dong")
    assert client.get(f"/records/{record['_id']}").status_code == 200
    assert client.get("/quarantine").status_code == 200
    assert world.get("dong", f"/api/v1/records/{record['_id']}").status_code == 200


def test_a_record_in_full_is_shown_once_for_a_reason(world: World, caplog: pytest.LogCaptureFixture) -> None:
    client = world.signed_in("dong")
    path = f"/records/{world.ids['people']}"
    token = csrf(client.get(path).text)
    assert client.post(f"{path}/in-full", data={"reason": "流调核实"}).status_code == 403
    assert client.post(f"{path}/in-full", data={"csrf_token": token, "reason": ""}).status_code == 422
    answer = client.post(f"{path}/in-full", data={"csrf_token": token, "reason": "流调核实"})
    assert "420106198808080006" in answer.text and answer.headers["Cache-Control"] == "no-store"
    assert "流调核实" in caplog.text
    assert "420106198808080006" not in client.get(path).text


def test_returning_a_record_needs_a_comment_and_a_token(world: World) -> None:
    record_id = world.push(sample("household_visit/pass/uneventful", device_id=world.device_id))
    world.follow()
    client = world.signed_in("bai")
    path = f"/records/{record_id}"
    token = csrf(client.get(path).text)
    assert (
        client.post(f"{path}/review", data={"decision": "returned", "comment": "请核对"}).status_code == 403
    )
    client.post(f"{path}/review", data={"decision": "returned", "comment": "", "csrf_token": token})
    assert "退回时请写明" in client.get(path).text
    client.post(f"{path}/review", data={"decision": "returned", "comment": "请核对人数", "csrf_token": token})
    world.follow()
    page = client.get(path).text
    assert "已退回" in page and "请核对人数" in page
    assert "请核对人数" in client.get("/quarantine?status=returned").text


def test_a_clerk_voids_a_record_with_a_reason_and_takes_it_back(world: World) -> None:
    record_id = world.push(sample("household_visit/pass/uneventful", device_id=world.device_id))
    world.follow()
    client = world.signed_in("bai")
    path = f"/records/{record_id}"
    token = csrf(client.get(path).text)

    def decide(decision: str, comment: str) -> str:
        data = {"decision": decision, "comment": comment, "csrf_token": token}
        client.post(f"{path}/review", data=data)
        told = client.get(path).text
        world.follow()
        return told

    assert "作废须写明原因" in decide("voided", "")
    assert "已作废，几秒后不再计入" in decide("voided", "培训测试")
    page = client.get(path).text
    assert "培训测试" in page and "撤销作废" in page and 'value="returned"' not in page
    assert "已经作废" not in page and "培训测试" in decide("voided", "再来一次")
    assert record_id in client.get("/records?status=voided").text
    assert "已撤销作废" in decide("restored", "")
    assert 'value="returned"' in client.get(path).text
    assert record_id not in client.get("/records?status=voided").text


def test_who_may_not_review_sees_why_a_record_is_voided_and_no_button(world: World) -> None:
    record_id = world.push(sample("household_visit/pass/uneventful", device_id=world.device_id))
    world.follow()
    world.post("bai", f"/api/v1/records/{record_id}/review", json={"status": "voided", "comment": "填错户"})
    world.follow()
    page = world.signed_in("cun").get(f"/records/{record_id}").text
    assert "填错户" in page and "撤销作废" not in page


def test_versions_of_a_corrected_record_stand_side_by_side(world: World) -> None:
    first = sample("household_visit/pass/uneventful", device_id=world.device_id, resident_count=5)
    first_id = world.push(first)
    second = sample("household_visit/pass/uneventful", device_id=world.device_id, resident_count=2)
    second |= {"supersedes": first_id, "correction_reason": "typo"}
    world.push(second)
    world.follow()
    page = world.signed_in("bai").get(f"/records/{second['_id']}").text
    assert "各版本对照" in page
    assert re.search(r'当前在家居住人数.*?</th><td class="changed">5</td><td class="changed">2</td>', page)
    assert "更正原因：录入错误" in page
    assert "已被更正" in world.signed_in("bai").get(f"/records/{first_id}").text


def test_enrolment_codes_come_as_a_sheet_and_only_for_the_own_area(world: World) -> None:
    client = world.signed_in("bai")
    token = csrf(client.get("/devices").text)
    sheet = client.post("/devices/codes", data={"village": VILLAGE, "count": "3", "csrf_token": token})
    codes = re.findall(r'class="letters">([2-9A-Z]{4}-[2-9A-Z]{4})<', sheet.text)
    assert len(set(codes)) == 3 and sheet.text.count("<svg") == 3
    enrolled = world.post(None, "/api/v1/enrol", json={"code": codes[0], "device_label": "<b>新手机</b>"})
    assert enrolled.status_code == 201
    assert "&lt;b&gt;新手机" in client.get("/devices").text
    assert (
        client.post(
            "/devices/codes", data={"village": OTHER_VILLAGE, "count": "1", "csrf_token": token}
        ).status_code
        == 403
    )
    for count in ("0", "41", "-1", "many", "", "٣"):
        answer = client.post("/devices/codes", data={"village": VILLAGE, "count": count, "csrf_token": token})
        assert answer.status_code == 422


def test_signing_out_ends_the_session(world: World) -> None:
    client = world.signed_in("bai")
    token = csrf(client.get("/").text)
    assert client.post("/sign-out").status_code == 403
    client.post("/sign-out", data={"csrf_token": token})
    assert client.get("/").status_code == 302


def test_the_language_is_switched_by_a_form_and_remembered(world: World) -> None:
    client = world.signed_in("dong")
    client.post("/language", data={"lang": "en", "next": "/records"})
    assert "All records" in client.get("/records").text
    client.post("/language", data={"lang": "klingon"})
    assert "All records" in client.get("/records").text


def test_the_exports_page_gives_the_file(world: World) -> None:
    answer = world.signed_in("dong").get(
        "/exports/file?table=household_visit/rep_person&town=&village=&from=&to=&status="
    )
    assert answer.headers["Content-Disposition"].startswith(
        'attachment; filename="household_visit-rep_person-'
    )
    assert answer.data.startswith(b"\xef\xbb\xbf")
