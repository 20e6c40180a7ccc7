"""`flask store check`: the document store's file."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup

from sync.embedded import Findings
from sync.embedded import check as check_file

store = AppGroup("store", help="The document store.")


def register(app: Flask) -> None:
    app.cli.add_command(store)


@store.command("check")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(file: Path | None) -> None:
    """Read the whole store, or FILE (a backup's store.sqlite3), and tell what is damaged.

    A server may run meanwhile. The exit status is 1 when anything is wrong.
    """
    from server.app import gridbook

    settings = gridbook().settings
    if file is None and not settings.store_is_embedded:
        raise click.ClickException("The documents are in a CouchDB; name a backup's FILE.")
    file = file or settings.store_file
    findings = check_file(file)
    for problem in findings.problems:
        click.echo(problem)
    click.echo(summary(file, findings))
    sys.exit(1 if findings.count else 0)


def summary(file: Path, findings: Findings) -> str:
    """One line."""
    rows = findings.rows
    read = (
        f"{rows['databases']} databases, {rows['documents']} documents, {rows['blobs']} attachments' contents"
    )
    if findings.count:
        return f"{file}: DAMAGED, {findings.count} problems ({read}). Restore a backup: docs/backup.md."
    return f"{file}: whole ({read})."
