"""`flask staff`, `flask device`, `flask enrol`, `flask token`. The first administrator is made only here."""

from __future__ import annotations

from datetime import timedelta

import click
from flask import Flask
from flask.cli import AppGroup

from server.app import gridbook
from server.people import assignment, devices, enrolment, staff, tokens
from server.people.permissions import ACTIONS, ROLES
from server.register.kinds import OFFICE
from server.register.upsert import ids_with

staff_group = AppGroup("staff", help="Who may sign in.")
device_group = AppGroup("device", help="Enrolled phones.")
enrol_group = AppGroup("enrol", help="Enrolment codes.")
token_group = AppGroup("token", help="API tokens for programs.")


def register(app: Flask) -> None:
    for group in (staff_group, device_group, enrol_group, token_group):
        app.cli.add_command(group)


def member_called(username: str) -> staff.Staff:
    member = staff.by_username(gridbook().people, username)
    if member is None:
        raise click.ClickException(f"There is nobody called {username}; `flask staff list` shows who is.")
    return member


@staff_group.command("add")
@click.argument("username")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(list(ROLES)))
@click.option("--area", required=True, help="Code of the district, town or village that the member sees.")
@click.option("--name", default="", help="The member's name as pages show it.")
@click.password_option(help="Asked for when it is not given.")
def add_staff(username: str, roles: tuple[str, ...], area: str, name: str, password: str) -> None:
    """Add a staff member."""
    try:
        staff.add(gridbook().people, username=username, password=password, name=name, roles=roles, area=area)
    except staff.StaffError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{username} may sign in at {gridbook().settings.public_url}/")


@staff_group.command("list")
def list_staff() -> None:
    """Who there is, with roles and area."""
    for member in staff.every(gridbook().people):
        state = "disabled" if member.disabled else ",".join(sorted(member.roles))
        click.echo(f"{member.username}\t{member.area}\t{state}\t{member.name}")


@staff_group.command("password")
@click.argument("username")
@click.password_option()
def change_password(username: str, password: str) -> None:
    """Change a password; open sessions end."""
    try:
        staff.set_password(gridbook().people, member_called(username), password)
    except staff.StaffError as error:
        raise click.ClickException(str(error)) from None
    click.echo("Changed; who was signed in with the old password is signed out.")


@staff_group.command("disable")
@click.argument("username")
def disable_staff(username: str) -> None:
    """Shut somebody out at once: sessions end, API tokens are revoked."""
    staff.disable(gridbook().people, member_called(username))
    click.echo(f"{username} is shut out.")


@device_group.command("list")
def list_devices() -> None:
    """Enrolled phones with their villages and last contact."""
    for device in devices.every(gridbook().people):
        state = "revoked" if device.revoked else f"last contact {device.last_contact_at or 'never'}"
        click.echo(f"{device.device_id}\t{','.join(device.villages)}\t{state}\t{device.label}")


@device_group.command("revoke")
@click.argument("device_id")
def revoke_device(device_id: str) -> None:
    """Shut a lost phone out."""
    if not devices.revoke(gridbook().people, device_id):
        raise click.ClickException("There is no such device; `flask device list` shows them.")
    click.echo("Revoked; within a second its requests are refused.")


@enrol_group.command("create")
@click.option(
    "--village", "villages", multiple=True, required=True, help="12-digit code; may be given several times."
)
@click.option("--filler", "fillers", multiple=True, help="Only these fillers; otherwise all of the villages.")
@click.option("--count", default=1, type=click.IntRange(1, 500), help="How many codes: one for each phone.")
@click.option(
    "--device-days", type=click.IntRange(1, 3650), help="The phone's access ends after so many days."
)
@click.option("--qr/--no-qr", default=True, help="Print a QR code for each.")
def create_codes(
    villages: tuple[str, ...], fillers: tuple[str, ...], count: int, device_days: int | None, qr: bool
) -> None:
    """Make enrolment codes and print them; they are shown only here."""
    import segno  # its tables take 3 MB

    settings, people = gridbook().settings, gridbook().people
    _check_offer(villages, fillers)
    offer = enrolment.Offer(villages, fillers, device_days)
    for _ in range(count):
        code = enrolment.create_code(people, offer, valid_for=timedelta(hours=settings.enrol_hours))
        link = enrolment.link(settings.public_url, code)
        click.echo(f"{code}\t{link}")
        if qr:
            segno.make(link, error="m").terminal(compact=True)
    click.echo(f"Each works once, within {settings.enrol_hours} hours.", err=True)


def _check_offer(villages: tuple[str, ...], fillers: tuple[str, ...]) -> None:
    store = gridbook().store
    known = {
        area.removeprefix("area:")
        for area in ids_with(store, OFFICE, "area:")
        if len(area) == len("area:") + 12
    }
    if unknown := sorted(set(villages) - known):
        raise click.ClickException(f"No village {', '.join(unknown)}: `flask import areas` first.")
    theirs = {filler for village in villages for filler in assignment.filler_ids(store, village)}
    if unknown := sorted(set(fillers) - theirs):
        raise click.ClickException(
            f"No filler {', '.join(unknown)} in these villages: `flask import fillers` first."
        )


@token_group.command("create")
@click.option("--staff", "username", required=True, help="Whose rights the program borrows.")
@click.option("--label", default="", help="What the token is for.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(list(ACTIONS)),
    default=tokens.READING,
    show_default=True,
)
@click.option("--days", default=90, type=click.IntRange(1, 3650), show_default=True)
def create_token(username: str, label: str, scopes: tuple[str, ...], days: int) -> None:
    """Make an API token and print it; it is shown only here."""
    token = tokens.create(gridbook().people, member_called(username), label=label, scopes=scopes, days=days)
    click.echo(token)


@token_group.command("list")
def list_tokens() -> None:
    """API tokens: id, owner, end, scopes, label."""
    names = {member.staff_id: member.username for member in staff.every(gridbook().people)}
    for token in tokens.every(gridbook().people):
        state = "revoked" if token.revoked else f"until {token.expires_at}"
        click.echo(
            f"{token.token_id}\t{names[token.staff_id]}\t{state}\t{','.join(token.scopes)}\t{token.label}"
        )


@token_group.command("revoke")
@click.argument("token_id")
def revoke_token(token_id: str) -> None:
    """End a token at once."""
    if not tokens.revoke(gridbook().people, token_id):
        raise click.ClickException("There is no such token; `flask token list` shows them.")
    click.echo("Revoked.")
