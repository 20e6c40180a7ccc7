"""The forms on the screen: skip logic, refusals, confirmations, offers, repeats, photos, signatures."""

import io
from collections.abc import Callable

from playwright.sync_api import Locator, expect

from tests.phone.phones import Phone

NewPhone = Callable[..., Phone]

# A 1600 × 1200 picture, larger than what is kept; its text pretends to be where it was taken.
MAKE_PHOTO = """async () => {
    const canvas = new OffscreenCanvas(1600, 1200);
    const pen = canvas.getContext('2d');
    for (let x = 0; x < 1600; x += 10)
        for (let y = 0; y < 1200; y += 10) {
            pen.fillStyle = `hsl(${(x * y) % 360} 80% ${(x + y) % 100}%)`;
            pen.fillRect(x, y, 10, 10);
        }
    const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 });
    return Array.from(new Uint8Array(await blob.arrayBuffer()));
}"""


def photo_with_place(phone: Phone) -> bytes:
    plain = bytes(phone.page.evaluate(MAKE_PHOTO))
    exif = b"Exif\x00\x00" + b"GPSLatitude 36.5 GPSLongitude 117.86"
    return plain[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + plain[2:]


def test_an_uneventful_household_takes_at_most_nine_taps(phone: Phone) -> None:
    taps: list[str] = []
    phone.page.expose_function("tapped", lambda what: taps.append(what))
    phone.page.evaluate(
        "addEventListener('click', (tap) => tap.isTrusted && tap.detail && tapped(tap.target.tagName), true)"
    )
    phone.visit_without_event()
    assert len(taps) <= 9


def test_questions_appear_and_go_with_the_answers(phone: Phone) -> None:
    phone.begin()
    expect(phone.field("refuse_reason")).to_have_count(0)
    phone.choose("visit_result", "拒访")
    expect(phone.field("refuse_reason")).to_be_visible()
    phone.choose("visit_result", "见到本人")
    expect(phone.field("refuse_reason")).to_have_count(0)
    expect(phone.field("resident_count")).to_be_visible()


def test_finishing_too_early_leads_to_the_first_question_that_lacks_an_answer(phone: Phone) -> None:
    phone.begin()
    phone.press("完成")
    field = phone.field("visit_result")
    expect(field).to_have_attribute("data-invalid", "true")
    expect(field).to_be_in_viewport()
    assert "走访结果" in field.locator(".problem").inner_text()


def fever(phone: Phone) -> None:
    phone.begin()
    phone.choose("visit_result", "见到本人")
    phone.press("下一页")
    phone.choose("q_fever", "有/是")
    phone.press("以上各项")
    person = "rep_person[0]."
    phone.page.get_by_test_id("rep_person[0]").get_by_label("我已知晓").check()
    phone.type(person + "person_name", "张三")
    phone.choose(person + "sex", "男")
    phone.type(person + "age", "40")
    phone.choose(person + "person_reason", "发热")
    phone.choose(person + "temp_status", "已测")
    phone.choose(person + "temp_method", "额温枪")


def test_365_is_offered_as_36_5_and_taken_on_a_tap(phone: Phone) -> None:
    fever(phone)
    temperature = phone.field("rep_person[0].temp_c")
    phone.type("rep_person[0].temp_c", "365")
    expect(temperature).to_contain_text("36.5")
    temperature.get_by_role("button", name="改为 36.5").click()
    expect(temperature.locator("input")).to_have_value("36.5")
    expect(temperature.locator(".problem")).to_have_count(0)


def test_a_refusal_shows_its_message_only_after_the_field_is_left(phone: Phone) -> None:
    fever(phone)
    temperature = phone.field("rep_person[0].temp_c")
    temperature.locator("input").press_sequentially("3")
    expect(temperature.locator(".problem.stop")).to_have_count(0)
    temperature.locator("input").blur()
    expect(temperature.locator(".problem.stop")).to_be_visible()
    temperature.locator("input").fill("36.8")
    expect(temperature.locator(".problem")).to_have_count(0)


def test_a_wrong_identity_number_is_refused_and_its_keypad_has_an_x(phone: Phone) -> None:
    fever(phone)
    number = phone.field("rep_person[0].id_number")
    phone.type("rep_person[0].id_number", "11010519491231002")
    expect(number.locator(".problem.stop")).to_be_visible()
    number.get_by_role("button", name="X").click()
    expect(number.locator("input")).to_have_value("11010519491231002X")
    expect(number.locator(".problem")).to_have_count(0)


def test_a_warning_asks_and_is_confirmed_in_place(phone: Phone) -> None:
    phone.begin()
    phone.choose("visit_result", "见到本人")
    phone.type("resident_count", "51")  # what is refused is not asked about as well
    expect(phone.field("resident_count").locator(".problem.stop")).to_be_visible()
    expect(phone.field("resident_count").locator(".problem.ask")).to_have_count(0)
    phone.type("resident_count", "13")
    ask = phone.field("resident_count").locator(".problem.ask")
    expect(ask).to_be_visible()
    phone.press("下一页")
    expect(ask).to_be_in_viewport()
    ask.get_by_role("button", name="确认无误").click()
    expect(ask).to_have_count(0)
    phone.press("下一页")
    phone.press("以上各项")
    phone.press("完成")
    phone.judged()
    expect(phone.records().first).to_have_attribute("data-state", "accepted_with_warnings")


def deliver(phone: Phone, proof: str) -> None:
    phone.begin_delivery()
    phone.choose("delivery_result", "本人签收")
    phone.press("全部按应发")
    expect(phone.page.get_by_test_id("rep_item[1]")).to_be_visible()
    phone.press("下一页")
    phone.choose("proof_kind", proof)


def test_a_delivery_as_due_with_a_signature(phone: Phone) -> None:
    deliver(phone, "电子签名")
    pad = phone.field("signature").locator("canvas")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box
    mouse = phone.page.mouse
    mouse.move(box["x"] + 30, box["y"] + 60)
    mouse.down()
    mouse.move(box["x"] + 180, box["y"] + 120, steps=8)
    mouse.up()
    expect(phone.page.get_by_role("button", name="完成")).to_be_visible()
    phone.offline()
    phone.press("完成")
    expect(phone.page.get_by_test_id("progress")).to_be_visible()
    (record,) = phone.kept("await outbox()")
    given = [(item["item_code"], item["qty"]) for item in record["answers"]["rep_item"]]
    assert given == [("VEG_BOX", 1), ("RICE_BAG", 1)]
    assert record["_attachments"][record["answers"]["signature"]]["content_type"] == "image/png"
    phone.offline(False)
    phone.judged()
    expect(phone.records().first).to_have_attribute("data-state", "accepted")


def test_a_delivery_minutes_after_its_form_was_opened_is_not_in_the_future(phone: Phone) -> None:
    deliver(phone, "照片")
    phone.page.evaluate("const real = Date.now; Date.now = () => real() + 300_000")
    time = phone.field("delivered_at")
    before = time.locator("input").input_value()
    time.get_by_role("button", name="现在").click()
    expect(time.locator("input")).not_to_have_value(before)
    phone.press("完成")  # the photo is missing, so that all complaints are shown
    expect(phone.field("photo").locator(".problem")).to_be_visible()
    expect(time.locator(".problem")).to_have_count(0)


def test_a_photo_is_shrunk_and_says_nothing_of_its_place(phone: Phone) -> None:
    deliver(phone, "照片")
    picture = photo_with_place(phone)
    assert b"GPSLatitude" in picture
    assert len(picture) > 300 * 1024
    phone.field("photo").locator("input").set_input_files(
        {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": io.BytesIO(picture).getvalue()}
    )
    expect(phone.field("photo").locator("img")).to_be_visible()
    image = phone.field("photo").locator("img")
    width = image.evaluate("(image) => image.decode().then(() => image.naturalWidth)")
    assert width <= 1280
    kept = bytes(phone.kept("Array.from(new Uint8Array(await (await read('media'))[0].arrayBuffer()))"))
    assert len(kept) <= 300 * 1024
    assert b"GPS" not in kept
    assert b"Exif" not in kept


def test_a_file_that_is_no_photo_is_refused_in_words(phone: Phone) -> None:
    deliver(phone, "照片")
    phone.field("photo").locator("input").set_input_files(
        {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": b"not a picture"}
    )
    expect(phone.page.get_by_text("这张照片打不开")).to_be_visible()


def test_location_and_voice_are_taken_when_asked_for(phone: Phone) -> None:
    phone.begin()
    phone.choose("visit_result", "见到本人")
    phone.press("下一页")
    voice = phone.field("remark_audio")
    voice.get_by_role("button", name="开始录音").click()
    expect(voice.get_by_role("button", name="停止")).to_be_visible()
    voice.get_by_role("button", name="停止").click()
    expect(voice.locator("audio")).to_be_visible()
    phone.page.get_by_text("其他信息").click()
    phone.field("gps").get_by_role("button", name="获取位置").click()
    expect(phone.field("gps")).to_contain_text("误差约 12 米")


def test_a_disinfection_computes_its_concentration(phone: Phone) -> None:
    phone.tab("消毒点")
    phone.begin()
    phone.choose("indoor_outdoor", "室内")
    phone.choose("objects", "地面")
    phone.press("下一页")
    phone.choose("agent", "84消毒液(次氯酸钠)")
    phone.field("prep_method").get_by_role("radio").first.check()
    expect(phone.page.get_by_text("mg/L").first).to_be_visible()


def test_a_scanned_or_typed_door_code_opens_its_household(phone: Phone) -> None:
    unit = phone.rows().nth(4).get_attribute("data-id")
    phone.press("扫码")
    phone.page.get_by_label("或输入编号").fill(f"https://example.cn/h/{unit}")
    phone.press("确定")
    expect(phone.page).to_have_url(f"{phone.url}#/unit/household/{unit}")


def test_a_household_outside_ones_own_grid_is_asked_about_and_then_taken(phone: Phone) -> None:
    own = phone.page.get_by_test_id("unit-row").first.get_attribute("data-id") or ""
    phone.page.get_by_role("searchbox").fill("1号")
    phone.rows().nth(0).wait_for()
    other = next(row.get_attribute("data-id") or "" for row in phone.rows().all() if outside(phone, row, own))
    phone.page.locator(f"[data-id='{other}'] .go").click()
    phone.form()
    asked = phone.page.locator("[data-rule=HV02]")
    expect(asked).to_contain_text("不在您的网格")
    phone.choose("visit_result", "见到本人")
    phone.press("下一页")  # a question that waits for an answer stops the page and is shown
    expect(asked).to_be_in_viewport()
    asked.get_by_role("button", name="确认无误").click()
    expect(asked).to_have_count(0)
    phone.press("下一页")
    expect(phone.field("q_fever")).to_be_visible()
    phone.press("以上各项")
    phone.press("完成")
    phone.judged()
    expect(phone.records().first).to_have_attribute("data-state", "accepted_with_warnings")
    kept = phone.kept("(await outbox()).map(({confirmed}) => confirmed)")
    assert kept == [[{"rule": "HV02", "path": "household_id"}]]


def outside(phone: Phone, row: Locator, own: str) -> bool:
    """Whether the row's household lies in another grid than `own`, which the list shows first."""
    grids = {each["household_id"]: each["grid_code"] for each in phone.kept("await households()")}
    return bool(grids[row.get_attribute("data-id")] != grids[own])
