"""Where to listen: what is refused before gunicorn tries."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from server.settings import Settings, SettingsError


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def check_binding(settings: Settings) -> None:
    """Refuse to listen where others can read along. Raises SettingsError."""
    if is_loopback(settings.host) or settings.secure or settings.insecure:
        return
    raise SettingsError(
        [
            f"HOST={settings.host} can be reached by others, and GRIDBOOK_PUBLIC_URL is not https: "
            "passwords and names would travel readable. Put a proxy with https in front and set "
            "GRIDBOOK_PUBLIC_URL, or set GRIDBOOK_INSECURE=1 if you know that nobody can listen."
        ]
    )


def check_port(settings: Settings) -> None:
    """Say at once that the port is taken. Raises SettingsError."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            reason = f"Cannot listen on {settings.host}:{settings.port} ({error.strerror})."
            raise SettingsError([f"{reason} Choose another: make run PORT={settings.port + 1}"]) from None
