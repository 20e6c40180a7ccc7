import re
import socket
from pathlib import Path

import pytest

from server.binding import check_binding, check_port
from server.settings import SETTINGS, Settings, SettingsError
from tests.servers import ROOT


def test_the_page_on_settings_holds_the_table_of_the_code() -> None:
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    listed = re.findall(r"^\| `(\w+)` \| (?:`([^`]*)`|empty) \| (.*) \|$", page, re.M)
    assert listed == [(setting.name, setting.default, setting.help) for setting in SETTINGS]


def test_the_defaults_are_good_to_start_with(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_environ({})
    check_binding(settings)
    assert settings.data == tmp_path / "var"
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.database_url == f"sqlite:///{tmp_path}/var/readmodel.sqlite3"
    assert settings.sync_admin is None
    assert not settings.secure


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("PORT", "eighty", "a whole number from 1 to 65535"),
        ("PORT", "0", "from 1 to 65535"),
        ("PORT", "65536", "from 1 to 65535"),
        ("PORT", "８０", "a whole number"),
        ("GRIDBOOK_DATA", "", "write a folder"),
        ("GRIDBOOK_STORE", "couchdb://x", "write embedded"),
        ("GRIDBOOK_STORE", "couchdb+https://host", "user and password are missing"),
        ("GRIDBOOK_STORE", "couchdb+https://u:p@host:99999", "a port from 1 to 65535"),
        ("GRIDBOOK_STORE", "couchdb+https://u:p@host/Not A Prefix", "a prefix of small letters"),
        ("GRIDBOOK_STORE", "couchdb+http://u:p@couch.example.cn", "write couchdb+https"),
        ("GRIDBOOK_SYNC_ADMIN", "root", "name:password"),
        ("GRIDBOOK_SYNC_ADMIN", "root:short", "at least 12 characters"),
        ("GRIDBOOK_SYNC_ADMIN", ":a long enough one", "name:password"),
        ("GRIDBOOK_PUBLIC_URL", "gridbook.example.cn", "such as https://"),
        ("GRIDBOOK_PUBLIC_URL", "ftp://x", "such as https://"),
        ("GRIDBOOK_BODY_MAX_BYTES", "1", "from 65536"),
        ("DEMO", "maybe", "1 or 0"),
        ("GRIDBOOK_WORKERS", "0", "from 1"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_a_hint(name, value, hint) -> None:
    with pytest.raises(SettingsError, match=re.escape(hint)) as refused:
        Settings.from_environ({name: value})
    assert name in refused.value.complaints[0]


def test_all_complaints_come_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environ({"PORT": "x", "DEMO": "x", "GRIDBOOK_PROXIES": "x"})
    assert len(refused.value.complaints) == 3


def test_a_password_never_appears_in_a_complaint() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environ({"GRIDBOOK_SYNC_ADMIN": "root:hunter2"})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_a_loopback_address_needs_no_https(host) -> None:
    check_binding(Settings.from_environ({"HOST": host}))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "gridbook.example.cn"])  # noqa: S104
def test_an_address_that_others_reach_needs_https_or_an_explicit_word(host) -> None:
    with pytest.raises(SettingsError, match="GRIDBOOK_INSECURE=1"):
        check_binding(Settings.from_environ({"HOST": host}))
    with pytest.raises(SettingsError):
        check_binding(
            Settings.from_environ({"HOST": host, "GRIDBOOK_PUBLIC_URL": "http://gridbook.example.cn"})
        )
    check_binding(Settings.from_environ({"HOST": host, "GRIDBOOK_PUBLIC_URL": "https://gridbook.example.cn"}))
    check_binding(Settings.from_environ({"HOST": host, "GRIDBOOK_INSECURE": "1"}))


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert Settings.from_environ({"HOST": "::1"}).public_url == "http://[::1]:8000"


def test_a_port_that_is_taken_is_named_with_a_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"make run PORT={port + 1}"):
            check_port(Settings.from_environ({"PORT": str(port)}))
    check_port(Settings.from_environ({"PORT": str(port)}))


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("GRIDBOOK_PORT", "PORT"),
        ("GRIDBOOK_HOST", "HOST"),
        ("GRIDBOOK_DEMO", "DEMO"),
        ("GRIDBOOK_DATABSE", "GRIDBOOK_DATABASE"),
        ("GRIDBOOK_STORES", "GRIDBOOK_STORE"),
    ],
)
def test_a_misspelt_setting_is_refused_with_the_name_that_was_meant(given, meant) -> None:
    with pytest.raises(SettingsError, match=f"{given} is no setting: write {meant},"):
        Settings.from_environ({given: "9000"})


@pytest.mark.parametrize(
    "name", ["GRIDBOOK_URL", "GRIDBOOK_TOKEN", "GRIDBOOK_TEST_STORE", "GRIDBOOK_WEBHOOK_SECRET"]
)
def test_variables_of_other_programs_are_left_alone(name) -> None:
    Settings.from_environ({name: "x"})
