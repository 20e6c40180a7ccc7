"""Settings: one table of name, default and help; each is read from the environment and checked at start.

A complaint names the setting, what is wrong with it and what to write instead. All complaints come at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from sync.couchdb import Address, BadAddress


class SettingsError(Exception):
    """Settings that the server refuses to start with; `complaints` holds one sentence for each."""

    def __init__(self, complaints: list[str]) -> None:
        super().__init__("\n".join(complaints))
        self.complaints = complaints


def text(value: str) -> str:
    return value


def whole_number(low: int, high: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            raise ValueError(f"write a whole number from {low} to {high}")
        return int(value)

    return read


def switch(value: str) -> bool:
    words = {
        "1": True,
        "yes": True,
        "true": True,
        "on": True,
        "0": False,
        "no": False,
        "false": False,
        "off": False,
        "": False,
    }
    if value.lower() not in words:
        raise ValueError("write 1 or 0")
    return words[value.lower()]


def folder(value: str) -> Path:
    if not value:
        raise ValueError("write a folder, such as ./var")
    return Path(value).absolute()


def store(value: str) -> str:
    if value != "embedded":
        try:
            Address.parse(value)
        except BadAddress as bad:
            raise ValueError(f"write embedded, or {str(bad).removeprefix('write ')}") from None
    return value


def database(value: str) -> str:
    """Raises ValueError without repeating the URL, which may hold a password."""
    if value and not value.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("write postgresql+psycopg://user:password@host/database or leave it empty")
    try:
        make_url(value or "sqlite://")
    except ArgumentError:
        raise ValueError("write it as postgresql+psycopg://user:password@host/database") from None
    return value


def name_and_password(value: str) -> tuple[str, str] | None:
    if not value:
        return None
    name, colon, password = value.partition(":")
    if not (name and colon) or len(password) < 12:
        raise ValueError("write name:password with a password of at least 12 characters, or leave it empty")
    return name, password


def web_address(value: str) -> str:
    if not value:
        return ""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("write the address that phones open, such as https://gridbook.example.cn")
    return value.rstrip("/")


def host_names(value: str) -> frozenset[str]:
    found = frozenset(name.strip().lower() for name in value.split(",") if name.strip())
    if any(not re.fullmatch(r"[a-z0-9_.:-]{1,253}", name) for name in found):
        raise ValueError("write names or addresses, such as cockpit.boshan.gov.cn,10.1.2.3")
    return found


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table; `field` is the field of `Settings` that it fills. A `secret` is never shown."""

    name: str
    field: str
    default: str
    read: Callable[[str], Any]
    help: str
    secret: bool = False


PREFIX = "GRIDBOOK_"
ALIKE = 0.9  # of 1: GRIDBOOK_DATABSE is like GRIDBOOK_DATABASE, GRIDBOOK_URL is not like GRIDBOOK_PUBLIC_URL

SETTINGS = (
    Setting(
        "GRIDBOOK_DATA", "data", "./var", folder, "Folder for everything that is kept; made with mode 0700."
    ),
    Setting(
        "HOST",
        "host",
        "127.0.0.1",
        text,
        "Address to listen on. Anything but a loopback address needs an https GRIDBOOK_PUBLIC_URL.",
    ),
    Setting("PORT", "port", "8000", whole_number(1, 65535), "Port to listen on."),
    Setting(
        "GRIDBOOK_PUBLIC_URL",
        "public_url",
        "",
        web_address,
        "Address under which phones and staff reach the server; empty: http://HOST:PORT.",
    ),
    Setting(
        "GRIDBOOK_INSECURE",
        "insecure",
        "0",
        switch,
        "1 allows a HOST that others can reach without https. Passwords and names then travel readable.",
    ),
    Setting(
        "GRIDBOOK_PROXIES",
        "proxies",
        "0",
        whole_number(0, 5),
        "Reverse proxies in front whose X-Forwarded headers are trusted.",
    ),
    Setting("GRIDBOOK_WORKERS", "workers", "2", whole_number(1, 64), "Web worker processes."),
    Setting(
        "GRIDBOOK_STORE",
        "store_url",
        "embedded",
        store,
        "Document store: embedded (SQLite in the data folder), or a CouchDB 3.3 or later: "
        "couchdb+https://user:password@host[:port][/prefix]; see couchdb.md.",
        secret=True,
    ),
    Setting(
        "GRIDBOOK_DATABASE",
        "database_url",
        "",
        database,
        "Where the read model lives: postgresql+psycopg://user:password@host/database; "
        "empty: readmodel.sqlite3 in the data folder.",
        secret=True,
    ),
    Setting(
        "GRIDBOOK_PEOPLE_DATABASE",
        "people_url",
        "",
        database,
        "Where staff, devices and tokens live: postgresql+psycopg://user:password@host/database; "
        "empty: people.sqlite3 in the data folder.",
        secret=True,
    ),
    Setting(
        "GRIDBOOK_SYNC_ADMIN",
        "sync_admin",
        "",
        name_and_password,
        "name:password of a CouchDB-style server admin at /sync/, "
        "who reads and deletes everything there; empty: nobody.",
        secret=True,
    ),
    Setting(
        "GRIDBOOK_FORMS",
        "forms",
        "./forms",
        folder,
        "Folder of definitions: forms, what is counted, sheets; see definitions.md.",
    ),
    Setting(
        "GRIDBOOK_BODY_MAX_BYTES",
        "max_body_bytes",
        "16777216",
        whole_number(65536, 1 << 30),
        "Largest request body, in bytes; a larger one is answered with 413.",
    ),
    Setting(
        "GRIDBOOK_SESSION_HOURS",
        "session_hours",
        "12",
        whole_number(1, 720),
        "Hours until a staff member must sign in again.",
    ),
    Setting(
        "GRIDBOOK_ENROL_HOURS",
        "enrol_hours",
        "72",
        whole_number(1, 8760),
        "Hours for which an enrolment code can be used.",
    ),
    Setting(
        "GRIDBOOK_WEBHOOK_HOSTS",
        "webhook_hosts",
        "",
        host_names,
        "Hosts of your own network that webhooks may reach, also without https: names or addresses, "
        "separated by commas. Any other needs https and a public address.",
    ),
    Setting(
        "GRIDBOOK_JOB_KEEP_HOURS",
        "job_keep_hours",
        "24",
        whole_number(1, 720),
        "Hours for which a job's file can be fetched before it is removed.",
    ),
    Setting(
        "GRIDBOOK_JOB_FILE_MAX_BYTES",
        "job_file_max_bytes",
        "2147483648",
        whole_number(1 << 20, 1 << 40),
        "Largest file that a job may make, in bytes.",
    ),
    Setting(
        "GRIDBOOK_GREETING",
        "greeting",
        "0",
        switch,
        "1 prints addresses, the demo's sign-in and a QR code once the server answers; `make run` sets it.",
    ),
    Setting(
        "DEMO",
        "demo",
        "1",
        switch,
        "For `make run`: 1 fills an empty data folder with the demo district, 0 leaves it empty.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings, read and checked. Make one with `from_environ`."""

    data: Path
    host: str
    port: int
    public_url: str
    insecure: bool
    proxies: int
    workers: int
    store_url: str
    database_url: str
    people_url: str
    sync_admin: tuple[str, str] | None
    forms: Path
    max_body_bytes: int
    session_hours: int
    enrol_hours: int
    webhook_hosts: frozenset[str]
    job_keep_hours: int
    job_file_max_bytes: int
    greeting: bool
    demo: bool

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read every setting of the table. Raises SettingsError with all complaints."""
        values: dict[str, Any] = {}
        complaints = []
        for setting in SETTINGS:
            raw = environ.get(setting.name, setting.default).strip()
            try:
                values[setting.field] = setting.read(raw)
            except ValueError as error:
                shown = "what was given" if setting.secret else repr(raw)
                complaints.append(f"{setting.name} cannot be {shown}: {error}.")
        complaints += _misspelt(environ)
        complaints += _open_to_eavesdroppers(values)
        if complaints:
            raise SettingsError(complaints)
        return cls(**_with_derived(values))

    @property
    def store_file(self) -> Path:
        return self.data / "store.sqlite3"

    @property
    def store_is_embedded(self) -> bool:
        return bool(self.store_url == "embedded")

    @property
    def secure(self) -> bool:
        """Whether the public address is https, so that cookies may insist on it."""
        return self.public_url.startswith("https://")


def _misspelt(environ: Mapping[str, str]) -> list[str]:
    """A setting by a name that only resembles one would stay at its default without a word. Other programs'
    variables may begin as ours do."""
    known = {setting.name: setting.name for setting in SETTINGS}
    known |= {PREFIX + name: name for name in known if not name.startswith(PREFIX)}
    found = []
    for name in sorted(environ):
        near = get_close_matches(name, known, 1, ALIKE) if name.startswith(PREFIX) else []
        if near and known[near[0]] != name:
            found.append(f"{name} is no setting: write {known[near[0]]}, or take it away.")
    return found


def _open_to_eavesdroppers(values: Mapping[str, Any]) -> list[str]:
    """A CouchDB's password and every record would travel readable through a network that is not ours."""
    address = values.get("store_url", "embedded")
    if address == "embedded" or values.get("insecure") or Address.parse(address).is_private:
        return []
    return [
        "GRIDBOOK_STORE cannot be couchdb+http to a host that is neither this machine nor in a private"
        " network: write couchdb+https, or set GRIDBOOK_INSECURE=1 where the way there is safe."
    ]


def _with_derived(values: dict[str, Any]) -> dict[str, Any]:
    data = values["data"]
    derived = {
        "public_url": f"http://{authority(values['host'], values['port'])}",
        "database_url": f"sqlite:///{data / 'readmodel.sqlite3'}",
        "people_url": f"sqlite:///{data / 'people.sqlite3'}",
    }
    return values | {field: value for field, value in derived.items() if not values[field]}


def authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
