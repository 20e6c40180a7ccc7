"""`flask prepare`: what `make run` does before the server starts, and what it tells the reader."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import click
import segno
from flask import Flask
from flask.cli import with_appcontext

from server.app import Gridbook, gridbook
from server.forms.publish import PublishRefused, publish
from server.people import enrolment, staff
from server.register.demo import load as demo
from server.settings import SettingsError, check_binding


def register(app: Flask) -> None:
    app.cli.add_command(prepare)


@click.command("prepare")
@with_appcontext
def prepare() -> None:
    """Publish the forms, load the demo district if DEMO=1, and print addresses, sign-in and a QR code."""
    try:
        check_binding(gridbook().settings)
        _check_port(gridbook())
        publish(gridbook().store, gridbook().settings.forms)
        if gridbook().settings.demo:
            click.echo("Demo district …", err=True)
            _load_demo()
    except (SettingsError, PublishRefused) as error:
        raise click.ClickException("\n".join(error.complaints)) from None
    for line in _greeting(gridbook()):
        click.echo(line)
    _print_qr(gridbook())


def _check_port(shared: Gridbook) -> None:
    host, port = shared.settings.host, shared.settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = (
                f"Cannot listen on {host}:{port} ({error.strerror}). Choose another: make run PORT={port + 1}"
            )
            raise SettingsError([reason]) from None


def _load_demo() -> None:
    try:
        demo.load(gridbook())
    except demo.NotEmpty:
        click.echo(
            "The data folder holds a district already: no demo was added. DEMO=0 silences this.", err=True
        )


def _greeting(shared: Gridbook) -> Iterator[str]:
    url = shared.settings.public_url
    yield ""
    yield f"  Gridbook 网格本   区级 district   {url}/"
    yield f"                   手机 phone      {url}/phone/"
    yield f"                   接口 API        {url}/api/v1/openapi.json"
    credentials = demo.credentials(shared.settings.data)
    if credentials:
        member = credentials["staff"]
        yield f"  演示账号 demo     {member['username']} / {member['password']}"
        yield f"  全部演示凭据 all of them in {demo.credentials_file(shared.settings.data)}"
    elif not staff.every(shared.people):
        yield "  还没有人员：先建管理员 Nobody can sign in yet; make the first administrator:"
        yield "    .venv/bin/flask staff add <name> --area <6 digits> \\"
        yield "        --role administrator --role district_staff"
    yield ""


def _print_qr(shared: Gridbook) -> None:
    codes = (demo.credentials(shared.settings.data) or {"enrolment": []})["enrolment"]
    usable = next((entry for entry in codes if enrolment.usable(shared.people, entry["code"])), None)
    if usable:
        click.echo(f"  扫码入网 scan to enrol a phone: {usable['code']}   {usable['url']}")
        segno.make(usable["url"], error="m").terminal(compact=True)
