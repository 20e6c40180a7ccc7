"""Password codes. Alice forgot her password; Adam, the administrator, gives her a code."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.people import enrolment, invitations, sessions, staff
from server.people.invitations import CodeWrong
from tests.server.people.cast import DISTRICT

OLD, NEW = "seventeen oranges", "eighteen lemons"
HOME = "192.0.2.1"


@pytest.fixture
def alice(people) -> staff.Staff:
    return staff.add(
        people, username="alice", password=OLD, name="Alice", roles=["town_staff"], area=DISTRICT
    )


@pytest.fixture
def code(people, alice) -> str:
    return invitations.create(people, alice, made_by=alice.staff_id)[0]


def redeem(people, code: str, username: str = "alice", password: str = NEW) -> staff.Staff:
    return invitations.redeem(people, username, code, password, HOME)


def test_a_code_sets_a_password_once_and_ends_open_sessions(people, alice, code) -> None:
    session = sessions.open_session(people, alice, timedelta(hours=1))
    assert staff.sign_in(people, "alice", OLD, HOME) == alice
    assert redeem(people, code.lower().replace("-", " ")) == alice
    assert staff.sign_in(people, "alice", NEW, HOME) == alice
    assert sessions.member_of(people, session) is None
    with pytest.raises(CodeWrong):
        redeem(people, code, password="nineteen plums")


def test_a_later_code_makes_the_earlier_one_worthless(people, alice, code) -> None:
    later = invitations.create(people, alice, made_by=alice.staff_id)[0]
    with pytest.raises(CodeWrong):
        redeem(people, code)
    redeem(people, later)


def test_a_weak_password_leaves_the_code_as_it_was(people, code) -> None:
    with pytest.raises(staff.StaffError):
        redeem(people, code, password="short")
    redeem(people, code)


@pytest.mark.parametrize(
    ("code_given", "name"), [("2222-2222", "alice"), ("", "alice"), ("\0", "alice"), (None, "bob")]
)
def test_a_wrong_code_and_a_wrong_name_are_refused_in_the_same_words(people, code, code_given, name) -> None:
    with pytest.raises(CodeWrong, match=r"^wrong user name or code$"):
        redeem(people, code if code_given is None else code_given, username=name)


def test_an_expired_code_and_one_of_somebody_disabled_are_refused(people, alice, code) -> None:
    staff.disable(people, alice)
    with pytest.raises(CodeWrong):
        redeem(people, code)
    staff.enable(people, alice)
    assert invitations.waiting(people) == {alice.staff_id}
    late = people.__class__(people.engine, people.secret, lambda: people.now() + invitations.VALID_FOR)
    with pytest.raises(CodeWrong):
        redeem(late, code)
    assert invitations.waiting(late) == set()


def test_guessing_is_slowed_down(people, code) -> None:
    for _ in range(6):
        with pytest.raises(CodeWrong):
            redeem(people, "2222-2222")
    with pytest.raises(CodeWrong) as refused:
        redeem(people, code)
    assert refused.value.retry_after_s > 0


def test_who_is_enabled_again_signs_in_with_the_old_password(people, alice) -> None:
    staff.disable(people, alice)
    with pytest.raises(staff.SignInRefused):
        staff.sign_in(people, "alice", OLD, HOME)
    staff.enable(people, alice)
    assert staff.sign_in(people, "alice", OLD, HOME) == alice


def test_it_is_known_who_made_the_code_that_enrolled_a_phone(people, alice) -> None:
    offer = enrolment.Offer(["370304102901"])
    by_alice = enrolment.create_code(people, offer, valid_for=timedelta(hours=1), made_by=alice.staff_id)
    by_command = enrolment.create_code(people, offer, valid_for=timedelta(hours=1))
    first, second = (enrolment.redeem(people, each, "phone")[0] for each in (by_alice, by_command))
    assert enrolment.enrolled_by(people) == {first.device_id: "Alice"}
    assert second.device_id not in enrolment.enrolled_by(people)
