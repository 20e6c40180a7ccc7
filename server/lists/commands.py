"""`flask lists import|list|match|answer|check`."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup

from server.api.problems import Problem
from server.api.unmasking import REASON_LENGTH_MAX, REASON_LENGTH_MIN, put_on_record
from server.app import gridbook
from server.lists import answering, archive, importing, outcomes, reconciling
from server.lists.importing import Preview
from server.lists.refusals import Refused
from server.lists.template import templates
from server.people import staff
from server.people.permissions import may
from server.people.staff import Staff
from server.register.refusals import FileRefused

lists = AppGroup("lists", help="Lists that superiors push down; see docs/lists.md.")
BY = click.option("--by", "username", required=True, help="Staff member in whose name it is done.")


def register(app: Flask) -> None:
    app.cli.add_command(lists)


def _member(username: str, action: str) -> Staff:
    member = staff.by_username(gridbook().people, username)
    if member is None or not may(member, action) or len(member.area) > 6:
        sys.exit(f"{username} is nobody who may do this for the whole district.")
    return member


def _said(refused: Refused) -> str:
    return Problem(refused.code, **refused.fields).words("en")[1]


@lists.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--template", required=True, help="A file's name in forms/lists, such as returnees.")
@click.option("--title", default="", help="What the list is called; the template's title otherwise.")
@click.option("--sheet", default="", help="The sheet; the first with such a table otherwise.")
@click.option("--supersedes", default="", help="The list that this one corrects.")
@click.option("--dry-run", is_flag=True, help="Say what would be kept; keep nothing.")
@BY
def import_list(
    file: Path, template: str, title: str, sheet: str, supersedes: str, dry_run: bool, username: str
) -> None:
    """Import FILE as a list and match its names. Ends with 1 when it cannot be read or is there already."""
    member, shared = _member(username, "lists.reconcile"), gridbook()
    try:
        preview = importing.preview(
            shared, file, importing.template_of(shared, template), file_name=file.name, sheet=sheet
        )
        _tell(preview)
        if dry_run:
            click.echo("试运行，未写入 / dry run, nothing written")
            return
        made = importing.keep(shared, file, preview, member, title=title, supersedes=supersedes)
    except FileRefused as refused:
        raise click.ClickException(f"{refused.zh}\n{refused.en}") from None
    except Refused as refused:
        raise click.ClickException(_said(refused)) from None
    click.echo(f"{made.list_id}: {_counts(reconciling.reconciled(shared, made.list_id).standing.counts())}")


def _tell(preview: Preview) -> None:
    layout = preview.layout
    click.echo(
        f"{preview.sheet or preview.file_name}: {len(layout.rows)} 人 names, 表头 heads {list(layout.heads)}"
    )
    for note in layout.notes:
        click.echo(f"  {note.zh} / {note.en}", err=True)
    for row in layout.rows:
        for each in row.remarks:
            click.echo(
                f"  第 {row.number} 行 row {row.number} {each.column}: {each.zh} / {each.en}", err=True
            )


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count)


@lists.command("list")
def list_lists() -> None:
    """Every list with its outcomes, one a line."""
    for each in archive.every(gridbook().store):
        replaced = f"  replaced by {each.superseded_by}" if each.superseded_by else ""
        counts = reconciling.reconciled(gridbook(), each.list_id).standing.counts()
        click.echo(f"{each.list_id}  {each.title}  {each.names} names: {_counts(counts)}{replaced}")


@lists.command("match")
@click.argument("list_id")
def match(list_id: str) -> None:
    """Look for everybody of a list again among those whom the district knows by now."""
    try:
        click.echo(f"{reconciling.match(gridbook(), list_id)} more names are settled")
    except Refused as refused:
        sys.exit(_said(refused))


@lists.command("answer")
@click.argument("list_id")
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z"]), help="Now otherwise."
)
@click.option("--reason", required=True, help="What the file is for; put on record.")
@BY
def answer(list_id: str, target: Path, as_of: datetime | None, reason: str, username: str) -> None:
    """Make an answer to a list and write its file to TARGET, which must not exist."""
    member, shared = _member(username, "export.unmasked"), gridbook()
    if not REASON_LENGTH_MIN <= len(reason.strip()) <= REASON_LENGTH_MAX:
        sys.exit(f"Give a reason of {REASON_LENGTH_MIN} to {REASON_LENGTH_MAX} characters.")
    if target.exists():
        sys.exit(f"{target} exists. Name a file that does not.")
    try:
        made = answering.make(shared, list_id, member, reason.strip(), as_of)
    except Refused as refused:
        sys.exit(_said(refused))
    put_on_record(member, f"list {list_id}, answer {made.n}", reason.strip())
    target.write_bytes(archive.answer_file(shared.store, list_id, made.n))
    click.echo(f"answer {made.n} as of {made.as_of}: {_counts(dict(made.counts))}")
    if made.counts[outcomes.OPEN]:
        click.echo(f"{made.counts[outcomes.OPEN]} names are still open", err=True)


@lists.command("check")
def check() -> None:
    """Read every template of <forms>/lists/ and tell all that is wrong. Ends with 1 if something is."""
    found, complaints = templates(gridbook().settings.forms)
    for template in found.values():
        click.echo(f"good  {template.name}")
    for complaint in complaints:
        click.echo(complaint)
    if complaints:
        sys.exit(1)
