"""`flask import <kind> FILE` and `flask demo`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup, with_appcontext

from server import clock
from server.app import gridbook
from server.register.demo import load as demo
from server.register.importer import import_file
from server.register.kinds import KINDS, Kind
from server.register.refusals import FileRefused
from server.register.report import Remark, Report, write_csv

SHOWN_MAX = 20
BEIJING = timedelta(hours=8)

imports = AppGroup("import", help="Registers from CSV and XLSX; see docs/import.md for the columns.")


def register(app: Flask) -> None:
    app.cli.add_command(imports)
    app.cli.add_command(load_demo)


def _add_command(kind: Kind) -> None:
    @imports.command(kind.name, help=f"{kind.name}: {', '.join(column.name for column in kind.columns)}")
    @click.argument("file", type=click.Path(path_type=Path))
    @click.option("--dry-run", is_flag=True, help="Say what would happen; write nothing.")
    @click.option(
        "--report", type=click.Path(path_type=Path), help="Where to write what was refused or is doubtful."
    )
    def run(file: Path, dry_run: bool, report: Path | None) -> None:
        _import(kind, file, dry_run, report)


for _kind in KINDS.values():
    _add_command(_kind)


def _import(kind: Kind, file: Path, dry_run: bool, report_path: Path | None) -> None:
    today = (datetime.now(UTC) + BEIJING).date().isoformat()
    try:
        report = import_file(gridbook().store, kind, file, today=today, dry_run=dry_run)
    except FileRefused as error:
        raise click.ClickException(f"{error.zh}\n{error.en}") from None
    click.echo(_summary(report, dry_run))
    if not (report.refused or report.warned):
        return
    path = report_path or _report_path(kind)
    write_csv(report, path)
    _show([*report.refused, *report.warned], path)
    if report.refused:
        raise click.exceptions.Exit(1)


def _summary(report: Report, dry_run: bool) -> str:
    title = "试运行，未写入 / dry run, nothing written" if dry_run else "已导入 / imported"
    warnings = f", 提醒 warnings {len(report.warned)}" if report.warned else ""
    return (
        f"{title}: 新增 added {report.added}, 变更 changed {report.changed}, "
        f"未变 unchanged {report.unchanged}, 拒绝 refused {report.refused_rows}{warnings}"
    )


def _show(remarks: list[Remark], path: Path) -> None:
    for remark in remarks[:SHOWN_MAX]:
        place = f"第 {remark.row} 行 row {remark.row} {remark.column}".rstrip()
        click.echo(f"  {place}: {remark.reason.zh} / {remark.reason.en}", err=True)
    click.echo(f"全部 {len(remarks)} 条原因见 / all reasons in: {path}", err=True)


def _report_path(kind: Kind) -> Path:
    folder = gridbook().settings.data / "imports"
    folder.mkdir(exist_ok=True, mode=0o700)
    moment = clock.stamp(clock.now()).replace(":", "").partition(".")[0]
    return folder / f"{kind.name}-{moment}-refused.csv"


@click.command("demo")
@with_appcontext
def load_demo() -> None:
    """Fill an empty data folder with the demo district; run again, it changes and loses nothing."""
    try:
        reports = demo.load(gridbook())
    except demo.NotEmpty:
        click.echo("The data folder holds a district already; the demo was left out. DEMO=0 silences this.")
        return
    for kind, report in reports.items():
        click.echo(f"{kind:<14} {_summary(report, dry_run=False)}")
