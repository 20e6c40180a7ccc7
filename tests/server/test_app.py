"""What every answer carries, and how errors look to each kind of asker."""

import logging
import stat

import pytest

from server import datafolder
from server.app import create_app, made_gridbook, make_app, open_gridbook
from server.settings import Settings


@pytest.mark.parametrize(
    "path", ["/", "/nowhere", "/api/v1/nowhere", "/sync/", "/sync/nowhere", "/phone/nowhere", "/sign-in"]
)
def test_every_answer_carries_the_security_headers(client, path) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers
    assert "Access-Control-Allow-Origin" not in headers


def test_behind_https_browsers_are_told_to_stay_there(tmp_path) -> None:
    environ = {"GRIDBOOK_DATA": str(tmp_path), "GRIDBOOK_PUBLIC_URL": "https://gridbook.example.cn"}
    app = create_app(Settings.from_environ(environ))
    assert "max-age" in app.test_client().get("/sync/").headers["Strict-Transport-Security"]


def test_each_asker_gets_an_error_in_the_shape_it_reads(client) -> None:
    api, sync, page = client.get("/api/v1/nowhere"), client.get("/sync/a/b/c/d"), client.get("/nowhere")
    assert (api.status_code, api.content_type) == (404, "application/problem+json")
    assert api.json["type"] == "urn:gridbook:problem:not-found"
    assert set(sync.json) == {"error", "reason"}
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "没有找到" in page.text


@pytest.mark.parametrize(("path", "shape"), [("/api/v1/boom", "code"), ("/boom", None)])
def test_a_failure_shows_no_trace_and_logs_one_without_the_request(app, path, shape, caplog) -> None:
    app.add_url_rule(path, "boom", boom)
    with caplog.at_level(logging.ERROR):
        response = app.test_client().get(path + "?name=王强")
    assert_tells_nothing(response, caplog)
    assert shape is None or shape in response.json


def test_a_failing_sync_tells_the_log_and_not_the_phone(tmp_path, monkeypatch, caplog) -> None:
    environ = {"GRIDBOOK_DATA": str(tmp_path), "GRIDBOOK_SYNC_ADMIN": "root:a-long-password"}
    app = create_app(Settings.from_environ(environ))
    monkeypatch.setattr(app.extensions["gridbook"].store, "open", boom)
    with caplog.at_level(logging.ERROR):
        response = app.test_client().get("/sync/village?name=王强", auth=("root", "a-long-password"))
    assert_tells_nothing(response, caplog)
    assert set(response.json) == {"error", "reason"}


def boom(*_: object) -> None:
    raise RuntimeError("the wheel came off")


def assert_tells_nothing(response, caplog) -> None:
    assert response.status_code == 500
    assert "wheel" not in response.text
    assert "Traceback" not in response.text
    assert "the wheel came off" in caplog.text
    assert "王强" not in caplog.text


def test_a_visitor_is_sent_to_sign_in_and_a_program_gets_401(client) -> None:
    page = client.get("/")
    assert (page.status_code, page.location) == (302, "/sign-in?next=/")
    assert client.get("/api/v1/areas").status_code == 401


@pytest.mark.parametrize(
    "path", ["/phone/../server/app.py", "/phone/%2e%2e/wsgi.py", "/phone//etc/passwd", "/phone/a\0b"]
)
def test_the_phone_folder_cannot_be_left(client, path) -> None:
    assert client.get(path, follow_redirects=True).status_code == 404


def test_the_phone_app_is_found_without_its_slash(client) -> None:
    response = client.get("/phone")
    assert (response.status_code, response.location) == (308, "/phone/")


def test_opening_the_data_folder_twice_keeps_the_secret(tmp_path) -> None:
    settings = Settings.from_environ({"GRIDBOOK_DATA": str(tmp_path / "var")})
    first, second = create_app(settings), create_app(settings)
    assert first.secret_key == second.secret_key
    assert len(first.secret_key) == 64


def test_the_key_for_persons_is_another_secret_that_only_its_owner_reads(tmp_path) -> None:
    datafolder.prepare(tmp_path)
    key = datafolder.person_key(tmp_path)
    assert len(key) == 32
    assert key.hex() != datafolder.secret_key(tmp_path)
    assert stat.S_IMODE((tmp_path / "person.key").stat().st_mode) == 0o600
    datafolder.prepare(tmp_path)
    assert datafolder.person_key(tmp_path) == key
    (tmp_path / "person.key").write_text("1234")
    with pytest.raises(ValueError, match=r"person\.key is no key"):
        datafolder.person_key(tmp_path)


def test_what_is_made_from_a_prepared_folder_touches_no_file_before_it_is_used(tmp_path) -> None:
    settings = Settings.from_environ({"GRIDBOOK_DATA": str(tmp_path)})
    open_gridbook(settings).store.close()
    assert (tmp_path / "jobs.sqlite3").exists()
    files = [path for path in tmp_path.rglob("*") if path.name.partition(".")[2].startswith("sqlite3")]
    for path in files:
        path.unlink()
    make_app(made_gridbook(settings))
    assert not [path for path in files if path.exists()]
