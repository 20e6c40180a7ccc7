from datetime import timedelta

import pytest
from argon2 import PasswordHasher, Type
from sqlalchemy import select

from server.people import lockout, sessions, staff, tokens
from server.people.staff import SignInRefused, StaffError
from server.people.tables import api_tokens
from server.people.tables import sessions as session_rows
from server.people.tables import staff as staff_rows
from tests.server.people.cast import DISTRICT

PASSWORD = "seventeen oranges"
ALICE = {
    "username": "alice",
    "password": PASSWORD,
    "name": "Alice",
    "roles": ["district_staff"],
    "area": DISTRICT,
}
HOME = "192.0.2.1"


@pytest.fixture
def alice(people) -> staff.Staff:
    return staff.add(people, **ALICE)


def test_alice_signs_in_with_her_password(people, alice) -> None:
    assert staff.sign_in(people, "alice", PASSWORD, HOME) == alice


@pytest.mark.parametrize(
    ("name", "password"), [("alice", "wrong password"), ("mallory", PASSWORD), ("alice", ""), ("", "")]
)
def test_a_wrong_name_and_a_wrong_password_are_refused_in_the_same_words(
    people, alice, name, password
) -> None:
    with pytest.raises(SignInRefused, match=r"^wrong name or password$"):
        staff.sign_in(people, name, password, HOME)


def test_passwords_are_kept_as_argon2id(people, alice) -> None:
    with people.engine.connect() as connection:
        kept = connection.scalar(select(staff_rows.c.password_hash))
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept


def test_guessing_passwords_costs_at_least_what_owasp_advises(product_hasher: PasswordHasher) -> None:
    assert product_hasher.type is Type.ID
    assert product_hasher.memory_cost >= 19 * 1024  # KiB
    assert product_hasher.time_cost >= 2


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"password": "short"}, "10 to 200 characters"),
        ({"password": "x" * 201}, "10 to 200 characters"),
        ({"roles": ["emperor"]}, "Roles are"),
        ({"roles": []}, "Roles are"),
        ({"area": "3703"}, "code of a district"),
        ({"area": "博山"}, "code of a district"),
        ({"username": ""}, "1 to 64"),
        ({"username": "a\0b"}, "1 to 64"),
    ],
)
def test_a_member_who_cannot_be_is_refused_with_a_reason(people, change, complaint) -> None:
    with pytest.raises(StaffError, match=complaint):
        staff.add(people, **ALICE | change)
    assert staff.every(people) == []


def test_a_name_is_given_once(people, alice) -> None:
    with pytest.raises(StaffError, match="already"):
        staff.add(people, **ALICE)


def guess(people, times: int) -> list[int]:
    waits = []
    for _ in range(times):
        with pytest.raises(SignInRefused) as refused:
            staff.sign_in(people, "alice", "a wrong guess", HOME)
        waits.append(refused.value.retry_after_s)
    return waits


def test_guessing_becomes_slow(people, alice, clock) -> None:
    assert guess(people, 4) == [0, 0, 0, 0]
    waits = []
    for _ in range(6):
        waits += guess(people, 1)
        clock.pass_by(seconds=waits[-1])
    assert waits == [2, 4, 8, 16, 32, 64]


def test_while_one_must_wait_even_the_right_password_is_refused(people, alice, clock) -> None:
    guess(people, 5)
    with pytest.raises(SignInRefused, match="too many tries"):
        staff.sign_in(people, "alice", PASSWORD, HOME)
    clock.pass_by(seconds=2)
    assert staff.sign_in(people, "alice", PASSWORD, HOME) == alice


def test_signing_in_forgets_the_failures(people, alice) -> None:
    guess(people, 4)
    staff.sign_in(people, "alice", PASSWORD, HOME)
    assert guess(people, 4) == [0, 0, 0, 0]


def test_failures_are_forgotten_after_an_hour(people, alice, clock) -> None:
    guess(people, 4)
    clock.pass_by(hours=1, seconds=1)
    assert guess(people, 4) == [0, 0, 0, 0]


def test_an_address_that_tries_many_names_is_slowed_down_too(people) -> None:
    for number in range(30):
        with pytest.raises(SignInRefused):
            staff.sign_in(people, f"name{number}", "a wrong guess", HOME)
    with pytest.raises(SignInRefused, match="too many tries"):
        staff.sign_in(people, "somebody new", "a wrong guess", HOME)
    assert lockout.wait_s(people, "sign-in-from:192.0.2.2") == 0


def test_the_wait_has_an_end(people) -> None:
    assert lockout.NAME.wait_s(10_000) == 900


def test_a_session_ends_by_itself(people, alice, clock) -> None:
    token = sessions.open_session(people, alice, timedelta(hours=12))
    assert sessions.member_of(people, token) == alice
    clock.pass_by(hours=12)
    assert sessions.member_of(people, token) is None


def test_a_closed_session_is_closed_at_once(people, alice) -> None:
    token = sessions.open_session(people, alice, timedelta(hours=12))
    sessions.close_session(people, token)
    assert sessions.member_of(people, token) is None


def test_a_new_password_ends_the_sessions_of_the_old_one(people, alice) -> None:
    token = sessions.open_session(people, alice, timedelta(hours=12))
    staff.set_password(people, alice, "eighteen oranges")
    assert sessions.member_of(people, token) is None
    with pytest.raises(SignInRefused):
        staff.sign_in(people, "alice", PASSWORD, HOME)


def test_a_disabled_member_loses_sessions_tokens_and_sign_in(people, alice) -> None:
    session = sessions.open_session(people, alice, timedelta(hours=12))
    token = tokens.create(people, alice, label="", scopes=["figures.read"], days=1)
    staff.disable(people, alice)
    assert sessions.member_of(people, session) is None
    with pytest.raises(tokens.TokenRefused, match="revoked"):
        tokens.member_of(people, token)
    with pytest.raises(SignInRefused):
        staff.sign_in(people, "alice", PASSWORD, HOME)


def test_a_csrf_token_belongs_to_its_session(people, alice) -> None:
    one, other = (sessions.open_session(people, alice, timedelta(hours=1)) for _ in range(2))
    assert sessions.csrf_matches(people, one, sessions.csrf_token(people, one))
    assert not sessions.csrf_matches(people, other, sessions.csrf_token(people, one))
    assert not sessions.csrf_matches(people, one, "")
    assert not sessions.csrf_matches(people, one, "口令")


def test_an_api_token_gives_its_owner_with_its_scopes(people, alice) -> None:
    token = tokens.create(people, alice, label="bench", scopes=["figures.read"], days=1)
    member = tokens.member_of(people, token)
    assert (member.staff_id, member.scopes) == (alice.staff_id, frozenset({"figures.read"}))


def test_an_api_token_expires_and_can_be_revoked(people, alice, clock) -> None:
    token = tokens.create(people, alice, label="", scopes=["figures.read"], days=1)
    lasting = tokens.create(people, alice, label="", scopes=["figures.read"], days=9)
    clock.pass_by(days=1)
    with pytest.raises(tokens.TokenRefused, match="expired"):
        tokens.member_of(people, token)
    tokens.member_of(people, lasting)
    newest = tokens.every(people)[-1]
    assert tokens.revoke(people, newest.token_id)
    assert not tokens.revoke(people, "no such token")
    assert [row.revoked for row in tokens.every(people)].count(True) == 1


def test_a_token_that_was_never_given_is_refused(people) -> None:
    with pytest.raises(tokens.TokenRefused, match="not known"):
        tokens.member_of(people, "x" * 43)


@pytest.mark.parametrize("scopes", [[], ["everything"]])
def test_a_token_needs_scopes_that_exist(people, alice, scopes) -> None:
    with pytest.raises(StaffError, match="Scopes are"):
        tokens.create(people, alice, label="", scopes=scopes, days=1)


def test_neither_sessions_nor_api_tokens_are_kept_readable(people, alice) -> None:
    session = sessions.open_session(people, alice, timedelta(hours=1))
    token = tokens.create(people, alice, label="", scopes=["figures.read"], days=1)
    with people.engine.connect() as connection:
        kept = repr(
            connection.execute(select(session_rows)).all() + connection.execute(select(api_tokens)).all()
        )
    assert session not in kept
    assert token not in kept
