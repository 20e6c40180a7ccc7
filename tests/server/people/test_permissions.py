"""Alice leads the district, Bob a town, Carol a village; Dan only watches figures; Eve holds a phone."""

import pytest

from server.people.devices import Device
from server.people.permissions import ACTIONS, ROLES, covers, may, sync_access
from server.people.syncing import SyncAdmin
from sync.access import Access
from tests.server.people.cast import DISTRICT, OTHER_TOWN, OTHER_VILLAGE, TOWN, VILLAGE, member

ALICE = member("district_staff", DISTRICT)
BOB = member("town_staff", TOWN)
CAROL = member("village_cadre", VILLAGE)
DAN = member("police", DISTRICT)
ADMIN = member("administrator", DISTRICT)
EVE = Device("e", "Eve's phone", [VILLAGE], [], revoked=False, enrolled_at="2020-02-21T00:00:00.000Z")

MATRIX = [  # who, action, in their own area, elsewhere
    (ALICE, "records.review", VILLAGE, "370303001001"),
    (ALICE, "export.unmasked", DISTRICT, "370303"),
    (BOB, "records.review", VILLAGE, OTHER_VILLAGE),
    (BOB, "enrolment.create", TOWN, OTHER_TOWN),
    (CAROL, "records.read", VILLAGE, OTHER_VILLAGE),
    (CAROL, "export.masked", VILLAGE, TOWN),
    (DAN, "figures.read", OTHER_VILLAGE, "370303001001"),
    (ADMIN, "staff.manage", DISTRICT, "370303"),
]

FORBIDDEN = [
    (ALICE, "staff.manage"),
    (BOB, "export.unmasked"),
    (BOB, "forms.publish"),
    (CAROL, "records.review"),
    (CAROL, "enrolment.create"),
    (DAN, "records.read"),
    (ADMIN, "records.read"),
    (ADMIN, "export.unmasked"),
]


@pytest.mark.parametrize(("who", "action", "inside", "outside"), MATRIX)
def test_a_role_acts_inside_its_area_and_not_outside(who, action, inside, outside) -> None:
    assert may(who, action)
    assert may(who, action, inside)
    assert not may(who, action, outside)


@pytest.mark.parametrize(("who", "action"), FORBIDDEN)
def test_an_action_that_no_role_grants_is_refused_even_at_home(who, action) -> None:
    assert not may(who, action)
    assert not may(who, action, who.area)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("nobody", [None, EVE, SyncAdmin("root")])
def test_whoever_is_no_staff_may_do_nothing_at_the_desk(nobody, action) -> None:
    assert not may(nobody, action)


def test_a_town_does_not_see_the_district_above_it() -> None:
    assert not may(BOB, "figures.read", DISTRICT)


def test_a_token_narrows_its_owner_and_never_widens() -> None:
    token = member("village_cadre", VILLAGE, scopes=frozenset({"figures.read", "export.unmasked"}))
    assert may(token, "figures.read", VILLAGE)
    assert not may(token, "records.read", VILLAGE)
    assert not may(token, "export.unmasked", VILLAGE)


def test_a_role_that_is_unknown_grants_nothing() -> None:
    assert not may(member("emperor", DISTRICT), "figures.read")


def test_a_misspelt_action_is_a_bug_and_not_a_refusal() -> None:
    with pytest.raises(KeyError):
        may(ALICE, "record.read")


def test_the_table_names_only_actions_that_exist() -> None:
    assert {action for _, actions in ROLES.values() for action in actions} <= ACTIONS.keys()


def test_areas_nest_by_their_codes() -> None:
    assert covers(DISTRICT, VILLAGE)
    assert covers(VILLAGE, VILLAGE)
    assert not covers(VILLAGE, TOWN)


@pytest.mark.parametrize(
    ("database", "access"),
    [
        ("catalogue", Access.READ),
        (f"register-{VILLAGE}", Access.READ),
        (f"inbox-{VILLAGE}", Access.PUSH),
        (f"register-{OTHER_VILLAGE}", Access.NONE),
        (f"inbox-{OTHER_VILLAGE}", Access.NONE),
        ("register-", Access.NONE),
        (f"office-{VILLAGE}", Access.NONE),
        ("office", Access.NONE),
        ("", Access.NONE),
        ("_users", Access.NONE),
    ],
)
def test_a_device_reaches_the_catalogue_and_its_villages_only(database, access) -> None:
    assert sync_access(EVE, database) is access


@pytest.mark.parametrize("database", ["", "office", f"inbox-{VILLAGE}", "new"])
def test_the_sync_admin_may_do_everything_and_staff_nothing_at_sync(database) -> None:
    assert sync_access(SyncAdmin("root"), database) is Access.ADMIN
    assert sync_access(ALICE, database) is Access.NONE
    assert sync_access(None, database) is Access.NONE
