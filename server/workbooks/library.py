"""The sheets that there are, and making one: template and rows put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from server.api.catalogue import questions, survey
from server.api.masking import mask_value
from server.exports.columns import repeat_groups
from server.readmodel.declaration import Declaration
from server.readmodel.record_queries import ENVELOPE, SERVER_COLUMNS
from server.web.figures import is_share, with_unit
from server.workbooks.asked import Asked
from server.workbooks.exception_rows import ExceptionRows
from server.workbooks.figure_rows import WEEK, FigureRows, QualityRows
from server.workbooks.labels import Labels
from server.workbooks.record_rows import RecordRows
from server.workbooks.template import Column, FormNames, Known, Template, TemplateErrors, read
from server.workbooks.unit_rows import UnitRows
from server.workbooks.writing import Head, Sheet, SheetColumn

FOLDER = "sheets"
RECORD_COLUMNS = frozenset({*SERVER_COLUMNS, *ENVELOPE} - {"gps"})
SOURCES: Mapping[str, Callable[[Asked, Template], Any]] = {
    "towns": FigureRows,
    "villages": FigureRows,
    "quality": QualityRows,
    "records": RecordRows,
    "register": UnitRows,
    "roster_outstanding": UnitRows,
    "points_overdue": UnitRows,
    "not_reached": UnitRows,
    "exceptions": ExceptionRows,
}
OF_BULLETIN = ("towns", "villages", "quality")
STATE_VALUES = ("state", "record.status")
RESULT_LISTS = {
    "roster_outstanding": "delivery_result",
    "register": "delivery_result",
    "not_reached": "visit_result",
}


def known(declared: Declaration, forms: Mapping[str, Sequence[Mapping[str, Any]]]) -> Known:
    """`forms` are the published ones, oldest version first."""
    lists = {name for versions in forms.values() for name in versions[-1].get("choices", {})}
    names = {form_id: _form_names(list(versions)) for form_id, versions in forms.items()}
    mentioned = {
        (each.form, each.each): frozenset(component.name for component in declared.of_unit(each.name))
        for each in declared.mentioned.values()
        if each.each
    }
    return Known(declared.indicators, names, frozenset(lists), RECORD_COLUMNS, mentioned)


def _form_names(versions: list[Any]) -> FormNames:
    outside = {str(each["name"]) for compiled in versions for each in questions(survey(compiled))}
    groups = repeat_groups(versions)
    repeats = {name: frozenset(str(each["name"]) for each in rows) for name, rows in groups.items()}
    return FormNames(frozenset(outside - set(groups)), repeats)


def templates(folder: Path, names: Known) -> tuple[dict[str, Template], list[str]]:
    """Every template of `<forms>/sheets/`, and what is wrong with those that cannot be used."""
    found: dict[str, Template] = {}
    complaints: list[str] = []
    for path in sorted((folder / FOLDER).glob("*.json")):
        try:
            found[path.stem] = read(path, names)
        except TemplateErrors as errors:
            complaints += errors.complaints
    return dict(sorted(found.items(), key=lambda item: (item[1].number or "~", item[0]))), complaints


def sheet(template: Template, asked: Asked, filled_by: str, reviewer: str = "", phone: str = "") -> Sheet:
    """The sheet, its rows read as they are written."""
    source, labels = SOURCES[template.rows](asked, template), Labels(asked)
    sums = dict.fromkeys(range(len(template.columns)), 0.0)

    def rows() -> Iterator[list[Any]]:
        for row in source:
            cells = [_cell(column, source, row, template, labels, asked) for column in template.columns]
            for place, value in enumerate(cells):
                if isinstance(value, int | float):
                    sums[place] = round(sums[place] + value, 6)
            yield cells

    own = getattr(source, "total", None)

    def totals() -> list[Any]:
        label = _first_text(template)
        return [
            asked.pick({"zh": "合计", "en": "Total"}) if place == label
            else own(column.value) if own and column.value.startswith("figure.")
            else sums[place] if column.total
            else None
            for place, column in enumerate(template.columns)
        ]  # fmt: skip

    return Sheet(
        name=f"{template.number}{asked.pick(template.title)}",
        head=_head(template, asked, filled_by, reviewer, phone),
        number_title=asked.pick({"zh": "序号", "en": "No."}),
        columns=[_column(column, asked) for column in template.columns],
        rows=rows(),
        totals_first=totals() if template.totals == "first" else None,
        totals_last=totals if template.totals == "last" else None,
    )


def _first_text(template: Template) -> int:
    """Where the word for the total stands."""
    texts = (
        place for place, column in enumerate(template.columns) if not column.total and not _is_figure(column)
    )
    return next(texts, -1)


def _is_figure(column: Column) -> bool:
    return column.value.startswith("figure.")


def _column(column: Column, asked: Asked) -> SheetColumn:
    indicator = (
        asked.readmodel.declaration.indicators.get(column.value.split(".")[1]) if _is_figure(column) else None
    )
    share = indicator is not None and is_share(indicator) and column.value.split(".")[2:] in ([], [WEEK])
    title = asked.pick(column.title)
    if indicator is not None and column.title == indicator.name:
        title = with_unit(title, asked.pick(indicator.unit))
    return SheetColumn(title, column.width, share)


def _cell(column: Column, source: Any, row: Any, template: Template, labels: Labels, asked: Asked) -> Any:
    if not column.value:
        return None
    head = column.value.partition(".")[0]
    if head in ("area", "town"):
        return _place(column.value, row["village"], asked)
    value = source.value(row, column.value)
    if column.value in STATE_VALUES:
        return labels.state(value)
    choices = column.choices or source.choices(column.value)
    if column.value == "last_result":
        choices = RESULT_LISTS.get(template.rows)
    written = labels.written(value, choices)
    return mask_value(column.mask, written) if column.mask and isinstance(written, str) else written


def _place(name: str, code: str, asked: Asked) -> str:
    wanted = code[:9] if name.startswith("town") else code
    return wanted if name.endswith(".code") else asked.names.get(wanted, wanted)


def _head(template: Template, asked: Asked, filled_by: str, reviewer: str, phone: str) -> Head:
    content = asked.content
    title = f"{asked.area['name']}{asked.pick(template.title)}"
    words = {
        "zh": ("填报单位", "填报人", "审核人", "联系电话", "填报时间", "单位", "日期"),
        "en": ("Office", "Filled in by", "Reviewed by", "Phone", "Filled in at", "Unit", "Day"),
    }[asked.language]
    office, filler, reviewed, telephone, at, unit, day = words
    names = {office: asked.area["name"], filler: filled_by, reviewed: reviewer, telephone: phone}
    dates = {day: asked.day, at: content["filled_at"]}
    units = f"{unit}：{template.unit}" if template.unit else ""
    figures = standing(content, asked) if template.rows in OF_BULLETIN else ""
    return Head(title, [(_line(names), units), (_line(dates), figures)])


def _line(parts: Mapping[str, str]) -> str:
    """What nobody knows is left to be written by hand."""
    return "　　".join(f"{name}：{value or '________'}" for name, value in parts.items())


def standing(content: Mapping[str, Any], asked: Asked) -> str:
    """Which bulletin the figures are of; or that they are provisional."""
    if content.get("number"):
        zh = f"日报第{content['number']}号，截至{content['counted_until']}"
        return asked.pick({"zh": zh, "en": f"bulletin {content['number']}, as of {content['counted_until']}"})
    zh = f"临时数据，未发布；截至{content['counted_until']}"
    return asked.pick({"zh": zh, "en": f"PROVISIONAL, not frozen; as of {content['counted_until']}"})
