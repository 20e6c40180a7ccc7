"""`flask intake follow|once|recheck` and `flask readmodel rebuild`."""

from __future__ import annotations

import signal
import sys
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup

from server import datafolder
from server.intake import ahead, asked_rebuild
from server.intake.follower import Follower, RebuildWaits, ask
from server.intake.lock import IntakeRunning
from server.intake.rebuilding import read_failure, read_progress
from server.people import devices
from server.readmodel.declaration import DeclarationError

intake = AppGroup("intake", help="Follow the store: judge records, keep the read model.")
readmodel = AppGroup("readmodel", help="The tables that figures are read from.")


def register(app: Flask) -> None:
    app.cli.add_command(intake)
    app.cli.add_command(readmodel)


def make_follower(gridbook: Any) -> Follower:
    """The follower of an app: devices are asked of its people."""

    def villages(device_id: str) -> list[str] | None:
        device = devices.by_id(gridbook.people, device_id)
        return None if device is None else device.villages

    def fillers(device_id: str) -> list[str] | None:
        """None when the device may name any filler of its villages."""
        device = devices.by_id(gridbook.people, device_id)
        return device.filler_ids or None if device else None

    def former_ids(device_id: str) -> list[str]:
        return devices.former_ids(gridbook.people, device_id)

    return Follower(
        gridbook.store,
        gridbook.readmodel,
        person_key=datafolder.person_key(gridbook.settings.data),
        data=gridbook.settings.data,
        device_villages=villages,
        device_fillers=fillers,
        device_former_ids=former_ids,
        judges=ahead.processes(),
    )


def _follower() -> Follower:
    from server.app import gridbook

    try:
        return make_follower(gridbook())
    except DeclarationError as error:
        raise click.ClickException(str(error)) from None


@intake.command()
def follow() -> None:
    """Follow until stopped, and deliver webhooks."""
    stopped = False

    def stop(*_: Any) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    from server.app import gridbook
    from server.serving import told_when_full
    from server.webhooks.delivering import delivering_beside

    try:
        with told_when_full("intake", gridbook().settings), delivering_beside(gridbook()):
            _follower().run_forever(lambda: stopped)
    except IntakeRunning as error:
        sys.exit(str(error))


@intake.command()
def once() -> None:
    """Handle everything that is there, then end."""
    try:
        click.echo(f"{_follower().run_once()} changes handled")
    except IntakeRunning as error:
        sys.exit(str(error))


@intake.command()
def recheck() -> None:
    """Judge quarantined records again."""
    try:
        click.echo(f"{_follower().recheck()} verdicts changed")
    except IntakeRunning:
        _ask("recheck")


@readmodel.command()
def rebuild() -> None:
    """Make the tables again from the documents; figures stay readable meanwhile."""
    try:
        click.echo(f"{_follower().rebuild()} changes handled")
    except IntakeRunning:
        _ask("rebuild")


@readmodel.command()
def progress() -> None:
    """How far a running rebuild is."""
    from server.app import gridbook

    readmodel = gridbook().readmodel
    found, failed = read_progress(readmodel), read_failure(readmodel)
    click.echo("No rebuild is running." if found is None else "{handled} of {of} records".format(**found))
    if failed is not None:
        click.echo(f"The last one failed: {failed}")


@readmodel.command()
def cancel() -> None:
    """Call off a rebuild that was asked for; the figures stay as they are."""
    from server.app import gridbook

    try:
        asked_rebuild.call_off(gridbook().readmodel)
    except asked_rebuild.NotAskedFor:
        sys.exit("No rebuild was asked for.")
    click.echo("The running server ends it within seconds.")


def _ask(request: str) -> None:
    from server.app import gridbook

    try:
        ask(gridbook().readmodel, request)
    except RebuildWaits:
        sys.exit(
            "A rebuild was asked for and is not done; nothing was changed. Ask for the recheck again when "
            "`flask readmodel progress` says that no rebuild is running."
        )
    click.echo(f"The running server does the {request} within seconds.")
