"""`flask bulletin list|freeze|verify|export`."""

from __future__ import annotations

import sys
from datetime import datetime

import click
from flask import Flask
from flask.cli import AppGroup

from server.app import gridbook
from server.bulletins import archive, freezing, sealing
from server.bulletins.refusals import Refused
from server.people import staff
from server.people.permissions import may

bulletin = AppGroup("bulletin", help="The day's bulletins.")


def register(app: Flask) -> None:
    app.cli.add_command(bulletin)


@bulletin.command("list")
def list_bulletins() -> None:
    """Every bulletin, one a line."""
    for each in archive.every(gridbook().store):
        replaced = f"  replaced by {each.replaced_by}" if each.replaced_by else ""
        click.echo(f"{each.number}  {each.day}  as of {each.as_of}  by {each.frozen_by['name']}{replaced}")


@bulletin.command("freeze")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--by", "username", required=True, help="Staff member in whose name it goes out.")
def freeze(day: datetime, username: str) -> None:
    """Freeze DAY as of its cut-off."""
    from server.api.problems import Problem

    member = staff.by_username(gridbook().people, username)
    if member is None or not may(member, "bulletin.freeze"):
        sys.exit(f"{username} is nobody who may freeze bulletins.")
    try:
        click.echo(freezing.freeze(gridbook(), day.date(), member).number)
    except Refused as refused:
        sys.exit(Problem(refused.code, **refused.fields).words("en")[1])


@bulletin.command("verify")
def verify() -> None:
    """Check every digest and signature, and that no number is missing. Ends with 1 if one fails."""
    shared = gridbook()
    found, key = archive.every(shared.store), sealing.key(shared.settings.data)
    damaged = {each.number: damage for each in found if (damage := archive.damage(shared.store, each, key))}
    for number, damage in damaged.items():
        click.echo(f"{number}: {damage} is not as it was frozen")
    for number in archive.breaks(shared.store, found):
        click.echo(f"{number}: its predecessor is missing or another one")
        damaged.setdefault(number, "")
    click.echo(f"{len(found)} bulletins, {len(found) - len(damaged)} intact")
    if damaged:
        sys.exit(1)
