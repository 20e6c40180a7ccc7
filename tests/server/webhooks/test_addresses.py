"""Where the server lets itself be sent."""

import socket
from typing import Any

import pytest

from server.webhooks.addresses import BadAddress, is_public, resolve, target

NONE: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.com/hook", "https"),
        ("https://127.0.0.1/", "private"),
        ("https://[::1]/", "private"),
        ("https://[::ffff:127.0.0.1]/", "private"),
        ("https://[64:ff9b::7f00:1]/", "private"),
        ("https://[2002:7f00:1::]/", "private"),
        ("https://10.1.2.3:8443/x", "private"),
        ("https://172.16.0.1/", "private"),
        ("https://192.168.1.1/", "private"),
        ("https://169.254.169.254/latest/meta-data", "private"),
        ("https://[fe80::1]/", "private"),
        ("https://[fc00::1]/", "private"),
        ("https://0.0.0.0/", "private"),
        ("https://100.64.0.1/", "private"),
        ("https://224.0.0.1/", "private"),
        ("https://255.255.255.255/", "private"),
        ("ftp://example.com/", "form"),
        ("file:///etc/passwd", "form"),
        ("https://user:password@example.com/", "form"),
        ("https://example.com/#part", "form"),
        ("https:///nothing", "form"),
        ("https://example.com:0/", "form"),
        ("https://example.com:99999/", "form"),
        ("https://example.com/a b", "form"),
        ("https://example.com/\r\nX: y", "form"),
        ("https://例子.cn/", "form"),
        ("https://[::1/", "form"),
        ("https://example.com/" + "x" * 500, "form"),
        ("", "form"),
        ("example.com", "form"),
    ],
)
def test_an_address_that_cannot_be_a_receiver_s_is_refused(url: str, why: str) -> None:
    with pytest.raises(BadAddress) as refused:
        target(url, NONE)
    assert refused.value.why == why


def test_a_host_that_the_setting_names_may_be_private_and_without_https() -> None:
    found = target("http://Cockpit.boshan.gov.cn:8080/hook?a=1", frozenset({"cockpit.boshan.gov.cn"}))
    assert (found.host, found.port, found.path) == ("cockpit.boshan.gov.cn", 8080, "/hook?a=1")
    assert target("https://[::1]/", frozenset({"::1"})).authority == "[::1]"


@pytest.mark.parametrize(
    ("addresses", "why"),
    [
        (["127.0.0.1"], "private"),
        (["8.8.8.8", "10.0.0.1"], "private"),
        (["::ffff:10.0.0.1"], "private"),
        (["fe80::1%eth0"], "private"),
        ([], "unknown-host"),
    ],
)
def test_a_name_that_leads_inside_is_refused_when_it_is_looked_up(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str], why: str
) -> None:
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    with pytest.raises(BadAddress) as refused:
        resolve(target("https://rebind.example.com/", NONE))
    assert refused.value.why == why


def test_the_address_that_was_checked_is_the_one_that_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that means another address the second time gains nothing: it is looked up once."""
    asked: list[Any] = []

    def lookup(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    assert resolve(target("https://rebind.example.com/", NONE)) == "8.8.8.8"
    assert asked == ["rebind.example.com"]


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "114.114.114.114"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)
