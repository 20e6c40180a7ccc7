"""`flask backup` and `flask restore`."""

from __future__ import annotations

from pathlib import Path

import click
from flask import Flask
from flask.cli import with_appcontext

from server import backup
from server.app import gridbook


def register(app: Flask) -> None:
    app.cli.add_command(make)
    app.cli.add_command(restore)


@click.command("backup")
@click.argument("target", type=click.Path(path_type=Path))
@with_appcontext
def make(target: Path) -> None:
    """Write a backup to the new folder TARGET; the server may run meanwhile.

    It holds passwords' hashes, names, addresses and keys: keep it as safe as the district's own data folder.
    """
    try:
        manifest = backup.make(gridbook(), target)
    except backup.BackupRefused as error:
        raise click.ClickException(str(error)) from None
    size = sum(told["bytes"] for told in manifest["files"].values())
    click.echo(f"{target}: {', '.join(manifest['files'])}, {size:,} bytes, checked.")
    if backup.PEOPLE not in manifest["files"]:
        click.echo("Staff and devices have a database of their own: back that one up too, after this.")


@click.command("restore")
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
@with_appcontext
def restore(source: Path) -> None:
    """Fill an empty data folder from the backup SOURCE. No server may run on it."""
    shared = gridbook()
    try:
        manifest = backup.restore(shared, source)
    except backup.BackupRefused as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{shared.settings.data}: restored as of {manifest['started_at']}. Start the server: it makes")
    click.echo("the figures again from the documents; phones compare with it from the beginning and hand in")
    click.echo("what it lacks. What was revoked after that moment has to be revoked again.")
