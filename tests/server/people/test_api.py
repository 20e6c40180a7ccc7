"""Enrolment over HTTP, and what a device token opens and shuts."""

import threading
from datetime import timedelta

import pytest

from server.people import devices, enrolment, syncing
from server.people.enrolment import Offer
from sync.endpoint import Unauthorized
from tests.server.register.tables import AREAS, OTHER_VILLAGE, VILLAGE, imported

FILLER = {"filler_id": "F1", "name": "王强", "role": "grid_volunteer", "village_code": VILLAGE}


@pytest.fixture
def shared(app, tmp_path):
    shared = app.extensions["gridbook"]
    imported(shared.store, tmp_path, "areas", AREAS)
    imported(shared.store, tmp_path, "fillers", [FILLER, FILLER | {"filler_id": "F2", "name": "李敏"}])
    return shared


@pytest.fixture
def code(shared) -> str:
    return enrolment.create_code(shared.people, Offer([VILLAGE]), valid_for=timedelta(hours=1))


def enrol(client, code, **more):
    return client.post("/api/v1/enrol", json={"code": code, **more})


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_code_is_exchanged_for_a_token_and_what_the_phone_is_for(client, shared, code) -> None:
    response = enrol(client, code, device_label="王强的手机")
    assert response.status_code == 201
    answer = response.json
    assert answer["villages"] == [{"code": VILLAGE, "name": "示范一村"}]
    assert answer["fillers"][0] == {**FILLER}
    assert [filler["filler_id"] for filler in answer["fillers"]] == ["F1", "F2"]
    assert answer["server_uuid"] == shared.store.uuid
    assert set(answer) == {"device_id", "token", "villages", "fillers", "server_uuid", "district"}
    again = client.get("/api/v1/device", headers=bearer(answer["token"]))
    assert again.json == {key: value for key, value in answer.items() if key != "token"}


def test_a_code_for_one_filler_offers_only_that_one(client, shared) -> None:
    code = enrolment.create_code(shared.people, Offer([VILLAGE], ["F2"]), valid_for=timedelta(hours=1))
    assert [filler["filler_id"] for filler in enrol(client, code).json["fillers"]] == ["F2"]


def test_a_used_an_expired_and_an_unknown_code_are_told_apart(client, shared, code) -> None:
    enrol(client, code)
    stale = enrolment.create_code(shared.people, Offer([VILLAGE]), valid_for=timedelta(0))
    for tried, status, word in [
        (code, 410, "code-gone"),
        (stale, 410, "code-gone"),
        ("2222-2222", 404, "code-unknown"),
    ]:
        response = enrol(client, tried)
        assert (response.status_code, response.json["code"]) == (status, word)
        assert response.content_type == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"", 422),
        (b"[]", 422),
        (b"null", 422),
        (b'{"code": 5}', 422),
        (b'{"code": ""}', 422),
        (b'{"code": null}', 422),
        (b"{}", 422),
        (b'{"code": "x", "admin": true}', 422),
        (b'{"code": {"a": 1}}', 422),
        (b'{"code": "' + b"x" * 100 + b'"}', 422),
        (b'{"code": "\\u0000\\ud83d\\ude00/_"}', 404),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b'{"code": "x", "device_label": "' + b"x" * 81 + b'"}', 422),
    ],
)
@pytest.mark.usefixtures("shared")
def test_nonsense_is_answered_as_a_problem(client, body, status) -> None:
    response = client.post("/api/v1/enrol", data=body, content_type="application/json")
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    assert response.json["status"] == status
    assert response.json["detail"]


def test_a_body_larger_than_the_limit_is_413(client) -> None:
    response = client.post("/api/v1/enrol", data=b"x" * 20_000_000, content_type="application/json")
    assert (response.status_code, response.json["code"]) == (413, "too-large")


@pytest.mark.usefixtures("shared")
def test_guessing_codes_is_stopped(client, code) -> None:
    statuses = [enrol(client, "2222-2222").status_code for _ in range(31)]
    assert statuses == [404] * 30 + [429]
    assert enrol(client, code).status_code == 429


@pytest.mark.usefixtures("shared")
def test_no_other_site_may_read_the_answers(client, code) -> None:
    response = client.options(
        "/api/v1/enrol", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    )
    assert not [name for name, _ in response.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    "headers", [{}, bearer("wrong"), {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}]
)
def test_a_phone_without_a_good_token_is_told_so(client, headers) -> None:
    response = client.get("/api/v1/device", headers=headers)
    assert (response.status_code, response.json["code"]) == (401, "device-unauthorized")


@pytest.fixture
def token(client, code) -> str:
    return enrol(client, code).json["token"]


@pytest.mark.parametrize(
    ("database", "status"),
    [
        ("catalogue", 404),
        (f"register-{VILLAGE}", 200),
        (f"inbox-{VILLAGE}", 200),
        (f"register-{OTHER_VILLAGE}", 403),
        (f"inbox-{OTHER_VILLAGE}", 403),
        ("office", 403),
        ("no-such-database", 403),
        ("_all_dbs", 403),
    ],
)
def test_a_token_opens_its_villages_and_tells_nothing_of_others(client, token, database, status) -> None:
    response = client.get(f"/sync/{database}", headers=bearer(token))
    assert response.status_code == status
    if status == 403:
        assert response.json["error"] == "forbidden"
        assert set(response.json) == {"error", "reason"}


@pytest.mark.parametrize("how", ["revoked", "expired", "unknown"])
def test_a_token_that_is_no_good_gets_couchdbs_401(client, shared, token, how) -> None:
    device = devices.by_token(shared.people, token)
    if how == "revoked":
        devices.revoke(shared.people, device.device_id)
    if how == "expired":
        with shared.people.engine.begin() as connection:
            _, token = devices.add(
                shared.people,
                connection,
                label="",
                villages=[VILLAGE],
                filler_ids=[],
                expires_at="2020-01-01T00:00:00.000Z",
            )
    sent = token if how != "unknown" else "x" * 43
    response = client.get(f"/sync/register-{VILLAGE}", headers=bearer(sent))
    assert response.status_code == 401
    assert response.json["error"] == "unauthorized"
    assert {"revoked": "revoked", "expired": "expired", "unknown": "not known"}[how] in response.json[
        "reason"
    ]
    assert client.get("/api/v1/device", headers=bearer(sent)).status_code == 401


def test_a_sync_notes_the_contact(client, shared, token) -> None:
    assert devices.by_token(shared.people, token).last_contact_at is None
    for _ in range(2):
        client.get(f"/sync/register-{VILLAGE}", headers=bearer(token))
    for writing in [thread for thread in threading.enumerate() if thread.name == "contacts"]:
        writing.join()
    assert devices.by_token(shared.people, token).last_contact_at is not None


def test_a_phone_that_is_revoked_while_it_syncs_is_out_within_a_second(shared, token) -> None:
    now = 100.0
    known = syncing.KnownDevices(shared.people, lambda: now)
    device = known.holder(token)
    devices.revoke(shared.people, device.device_id)
    now += 0.9
    assert known.holder(token) == device
    now += 0.1
    with pytest.raises(Unauthorized, match="revoked"):
        known.holder(token)


def test_the_second_lasts_from_the_look_and_not_from_the_last_use(shared, token) -> None:
    now = 100.0
    known = syncing.KnownDevices(shared.people, lambda: now)
    devices.revoke(shared.people, known.holder(token).device_id)
    for _ in range(3):
        now += 0.3
        known.holder(token)
    now += 0.3
    with pytest.raises(Unauthorized):
        known.holder(token)


def test_a_device_token_opens_nothing_at_the_desk(client, token) -> None:
    assert client.get("/api/v1/areas", headers=bearer(token)).status_code in (401, 403)


def test_the_sync_admin_signs_in_by_basic_auth(client) -> None:
    assert client.put("/sync/made-by-admin", auth=("root", "a long password")).status_code == 201
    assert client.get("/sync/_all_dbs", auth=("root", "a long password")).json == ["made-by-admin"]
    for wrong in [
        ("root", "a wrong password"),
        ("", ""),
        ("root:a long", "password"),
        ("root", "a long password "),
    ]:
        assert client.get("/sync/_all_dbs", auth=wrong).status_code == 401


def test_a_body_nested_ten_thousand_deep_is_refused_in_words(client, shared) -> None:
    body = '{"code":' * 10_000 + "1" + "}" * 10_000
    response = client.post("/api/v1/enrol", data=body, content_type="application/json")
    assert response.status_code in (400, 422)
    assert response.content_type == "application/problem+json"
