import re
import threading
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from server.people import devices, enrolment
from server.people.enrolment import CodeRefused, Offer, create_code, normalized, redeem, usable
from server.people.tables import devices as device_rows
from server.people.tables import enrolment_codes
from tests.server.people.cast import VILLAGE

THREE_DAYS = timedelta(days=3)


def test_a_code_makes_a_device_for_its_villages_and_fillers(people) -> None:
    code = create_code(people, Offer([VILLAGE], ["F1"]), valid_for=THREE_DAYS)
    device, token = redeem(people, code, "Eve's phone")
    assert (device.villages, device.filler_ids, device.label) == ([VILLAGE], ["F1"], "Eve's phone")
    assert devices.by_token(people, token) == device


def test_a_code_is_eight_characters_that_nobody_confuses(people) -> None:
    code = create_code(people, Offer([VILLAGE]), valid_for=THREE_DAYS)
    assert re.fullmatch(r"[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}", code)


def test_a_code_is_read_however_it_is_typed(people) -> None:
    code = create_code(people, Offer([VILLAGE]), valid_for=THREE_DAYS)
    redeem(people, f"  {code.lower().replace('-', ' ')} ", "")


def test_a_code_works_once(people) -> None:
    code = create_code(people, Offer([VILLAGE]), valid_for=THREE_DAYS)
    assert usable(people, code)
    redeem(people, code, "")
    assert not usable(people, code)
    with pytest.raises(CodeRefused, match="used") as refused:
        redeem(people, code, "")
    assert refused.value.gone


def test_of_two_phones_with_one_code_exactly_one_is_enrolled(people) -> None:
    code = create_code(people, Offer([VILLAGE]), valid_for=THREE_DAYS)
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def enrol() -> None:
        start.wait()
        try:
            redeem(people, code, "")
            outcomes.append("enrolled")
        except CodeRefused as refused:
            outcomes.append(refused.reason)

    phones = [threading.Thread(target=enrol) for _ in range(8)]
    for phone in phones:
        phone.start()
    for phone in phones:
        phone.join()
    assert sorted(outcomes) == ["enrolled"] + ["used"] * 7
    assert len(devices.every(people)) == 1


def test_a_code_expires(people, clock) -> None:
    code = create_code(people, Offer([VILLAGE]), valid_for=timedelta(hours=1))
    clock.pass_by(hours=1)
    with pytest.raises(CodeRefused, match="expired") as refused:
        redeem(people, code, "")
    assert refused.value.gone
    assert devices.every(people) == []


def test_a_code_that_never_was_is_unknown(people) -> None:
    with pytest.raises(CodeRefused, match="unknown") as refused:
        redeem(people, "2222-2222", "")
    assert not refused.value.gone


def test_neither_codes_nor_tokens_are_kept_readable(people) -> None:
    code = create_code(people, Offer([VILLAGE]), valid_for=THREE_DAYS)
    _, token = redeem(people, code, "")
    with people.engine.connect() as connection:
        kept = repr(
            connection.execute(select(enrolment_codes)).all() + connection.execute(select(device_rows)).all()
        )
    assert code not in kept
    assert normalized(code) not in kept
    assert token not in kept


def test_a_device_may_be_limited_in_time(people, clock) -> None:
    code = create_code(people, Offer([VILLAGE], device_days=2), valid_for=THREE_DAYS)
    device, _ = redeem(people, code, "")
    assert not device.expired(people.stamp())
    clock.pass_by(days=2)
    assert device.expired(people.stamp())


def test_a_revoked_device_is_known_and_revoked(people) -> None:
    _, token = redeem(people, create_code(people, Offer([VILLAGE]), valid_for=THREE_DAYS), "")
    device = devices.by_token(people, token)
    assert device is not None
    assert devices.revoke(people, device.device_id)
    assert devices.by_token(people, token).revoked
    assert not devices.revoke(people, "no such device")


def test_contact_is_noted_to_the_minute(people, clock) -> None:
    device, token = redeem(people, create_code(people, Offer([VILLAGE]), valid_for=THREE_DAYS), "")
    devices.note_contact(people, device)
    first = devices.by_token(people, token)
    clock.pass_by(seconds=30)
    devices.note_contact(people, first)
    assert devices.by_token(people, token).last_contact_at == first.last_contact_at
    clock.pass_by(seconds=31)
    devices.note_contact(people, first)
    assert devices.by_token(people, token).last_contact_at > first.last_contact_at


@given(st.text(max_size=60))
def test_any_text_can_be_typed_as_a_code(text) -> None:
    assert normalized(normalized(text)) == normalized(text)


def test_the_link_keeps_the_code_out_of_server_logs() -> None:
    assert enrolment.link("https://g.example", "ABCD-2345") == "https://g.example/phone/#enrol=ABCD-2345"


def test_a_phone_that_is_enrolled_again_is_known_by_the_token_it_held(people) -> None:
    codes = [create_code(people, Offer([VILLAGE]), valid_for=THREE_DAYS) for _ in range(3)]
    first, token = redeem(people, codes[0], "")
    devices.revoke(people, first.device_id)  # the usual reason to enrol again
    second, token = redeem(people, codes[1], "", token)
    third, _ = redeem(people, codes[2], "", token)
    assert devices.former_ids(people, third.device_id) == [second.device_id, first.device_id]
    assert devices.former_ids(people, first.device_id) == []


def test_a_token_of_nobody_makes_no_former_phone_and_hinders_no_enrolment(people) -> None:
    code = create_code(people, Offer([VILLAGE]), valid_for=THREE_DAYS)
    device, _ = redeem(people, code, "", "never given out")
    assert devices.former_ids(people, device.device_id) == []
