"""`flask store copy`: a district moves from one document store to another."""

from __future__ import annotations

import os

import click
from flask import Flask
from flask.cli import with_appcontext

from server.app import gridbook
from server.store_commands import store
from sync import copying, couchdb, embedded
from sync.copying import CopyFailed, Difference
from sync.store import Store, StoreError

SHOWN_MAX = 20


def register(_app: Flask) -> None:
    store.add_command(copy)


@click.command("copy")
@click.argument("source")
@click.argument("target")
@with_appcontext
def copy(source: str, target: str) -> None:
    """Copy every database from SOURCE to TARGET, then compare them leaf by leaf.

    Each is `embedded` (the data folder's), `couchdb+https://user:password@host[:port][/prefix]`, or
    `env:NAME` for the address in that environment variable, so that no password stands in a command line.
    Stop the server first. It may be interrupted and started again: what is there already is not sent again.
    """
    here, there = _open(source), _open(target)
    try:
        names = here.names()
        for name in names:
            copying.copy_revs_limit(here, there, name)
            written = sum(copying.copy_database(here, there, name))
            click.echo(f"{name}: {written} revisions copied")
        different = sum(_compare(here, there, name) for name in names)
    except (StoreError, CopyFailed) as error:
        raise click.ClickException(f"{error}\nStart it again: it goes on where it was.") from None
    finally:
        here.close()
        there.close()
    if different:
        raise click.ClickException(f"{different} of {len(names)} databases differ.")
    click.echo(f"{len(names)} databases are the same in both.")


def _open(address: str) -> Store:
    if address.startswith("env:"):
        address = os.environ.get(address.removeprefix("env:"), "")
    if address == "embedded":
        return embedded.open_store(gridbook().settings.store_file)
    try:
        return couchdb.open_store(address)
    except couchdb.BadAddress as bad:
        raise click.ClickException(f"For a store, {bad}, or embedded.") from None


def _compare(here: Store, there: Store, name: str) -> bool:
    difference, same = copying.compare(here, there, name)
    here_counts, there_counts = _counts(here, name), _counts(there, name)
    for line in _lines(difference):
        click.echo(f"{name}: {line}")
    if here_counts != there_counts:
        click.echo(f"{name}: counts differ (living, deleted): {here_counts} and {there_counts}")
    if not difference and here_counts == there_counts:
        click.echo(f"{name}: {same} leaves are the same")
        return False
    return True


def _counts(store: Store, name: str) -> tuple[int, int]:
    told = store.open(name).info()
    return told["doc_count"], told["doc_del_count"]


def _lines(difference: Difference) -> list[str]:
    found = [
        ("only in the source", difference.only_in_source),
        ("only in the target", difference.only_in_target),
        ("not the same", difference.unequal),
    ]
    lines = [f"{what}: {doc_id} {rev}" for what, some in found for doc_id, rev in some]
    more = len(lines) - SHOWN_MAX
    return [*lines[:SHOWN_MAX], f"and {more} more"] if more > 0 else lines
