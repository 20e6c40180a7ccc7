"""What `make run` does besides serving: `flask prepare` fills the data folder, `greet` tells where to go."""

from __future__ import annotations

from collections.abc import Iterator

import click
from flask import Flask
from flask.cli import with_appcontext

from server.app import Gridbook, gridbook
from server.forms.publish import PublishRefused, publish
from server.people import enrolment, staff
from server.register.demo import load as demo


def register(app: Flask) -> None:
    app.cli.add_command(prepare)


@click.command("prepare")
@with_appcontext
def prepare() -> None:
    """Publish the forms and, if DEMO=1, load the demo district."""
    try:
        publish(gridbook().store, gridbook().settings.forms)
    except PublishRefused as error:
        raise click.ClickException("\n".join(error.complaints)) from None
    if gridbook().settings.demo:
        click.echo("Demo district …")
        _load_demo(gridbook())


def _load_demo(shared: Gridbook) -> None:
    try:
        demo.load(shared)
    except demo.NotEmpty:
        click.echo("The data folder holds a district already: no demo was added. DEMO=0 silences this.")


def greet(shared: Gridbook) -> None:
    """Print addresses, the demo's sign-in and a QR code that enrols a phone."""
    demo.keep_addresses(shared)
    for line in _lines(shared):
        click.echo(line)
    _print_qr(shared)


def _lines(shared: Gridbook) -> Iterator[str]:
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
        yield "  还没有人员，先建管理员 Nobody can sign in yet; make the first administrator:"
        data = shared.settings.data
        yield f"    GRIDBOOK_DATA={data} .venv/bin/flask staff add <name> --area <6 digits> \\"
        yield "        --role administrator --role district_staff"
    yield ""


def _print_qr(shared: Gridbook) -> None:
    import segno  # its tables take 3 MB

    codes = (demo.credentials(shared.settings.data) or {"enrolment": []})["enrolment"]
    usable = next((entry for entry in codes if enrolment.usable(shared.people, entry["code"])), None)
    if usable:
        click.echo(f"  扫码入网 scan to enrol a phone: {usable['code']}   {usable['url']}")
        segno.make(usable["url"], error="m").terminal(compact=True)
