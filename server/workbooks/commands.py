"""`flask sheets check`."""

from __future__ import annotations

import sys

import click
from flask import Flask
from flask.cli import AppGroup

from server.app import gridbook
from server.workbooks import making

sheets = AppGroup("sheets", help="Templates of Excel sheets.")


def register(app: Flask) -> None:
    app.cli.add_command(sheets)


@sheets.command("check")
def check() -> None:
    """Read every template of <forms>/sheets/ and tell all that is wrong. Ends with 1 if something is."""
    found, complaints = making.templates(gridbook())
    for template in found.values():
        click.echo(f"good  {template.number or '-'}  {template.name}")
    for complaint in complaints:
        click.echo(complaint)
    if complaints:
        sys.exit(1)
