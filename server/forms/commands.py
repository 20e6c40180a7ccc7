"""`flask forms publish`."""

from __future__ import annotations

from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup

from server.app import gridbook
from server.forms.publish import PublishRefused, publish

forms = AppGroup("forms", help="Form definitions.")


def register(app: Flask) -> None:
    app.cli.add_command(forms)


@forms.command("publish")
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
def publish_command(folder: Path | None) -> None:
    """Check and compile every form of FOLDER (GRIDBOOK_FORMS) into the catalogue: all of them or none."""
    try:
        published = publish(gridbook().store, folder or gridbook().settings.forms)
    except PublishRefused as error:
        raise click.ClickException("Nothing was published.\n" + "\n".join(error.complaints)) from None
    for document_id, outcome in published.outcomes.items():
        click.echo(f"{outcome:<10} {document_id}")
