"""The bulletin as a PDF, A4: the district's figures, the towns, who was silent, what is late, definitions.

The font is one of Adobe's Chinese collections, which readers bring along: files stay small and nothing is
copied into the product. A provisional one says so across every page.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape as escape_xml

from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from server.api.beijing import local
from server.bulletins import wording

FONT = "STSong-Light"
MARGIN = 16 * mm
PAIRS = 3  # figures side by side
DEVICES_SHOWN = 60

Content = Mapping[str, Any]


def escape(text: str) -> str:
    """For a paragraph; the font's middle dot is the wide one."""
    return escape_xml(text.replace("·", "・"))


def _style(size: float, **more: Any) -> ParagraphStyle:
    return ParagraphStyle(
        f"s{size}", fontName=FONT, fontSize=size, leading=size * 1.5, wordWrap="CJK", **more
    )


TITLE = _style(20, alignment=TA_CENTER, spaceAfter=4)
UNDER = _style(11, alignment=TA_CENTER, spaceAfter=8)
HEADING = _style(12.5, spaceBefore=10, spaceAfter=4)
BODY = _style(10)
CELL = _style(8.5)
SMALL = _style(7.5)
GRID = [
    ("GRID", (0, 0), (-1, -1), 0.4, colors.HexColor("#999999")),
    ("FONT", (0, 0), (-1, -1), FONT, 8.5),
    ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ("TOPPADDING", (0, 0), (-1, -1), 2.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
]
HEAD_GRAY = ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#EDEDED"))


def pdf(content: Content, town_indicators: Sequence[str], digest: str = "") -> bytes:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN,
        title=f"{content['district']['name']}网格日报 {wording.number_text(content)}",
        author=content["district"]["name"],
        invariant=True,
    )  # fmt: skip
    mark = _marker(content, digest)
    document.build(_story(content, town_indicators), onFirstPage=mark, onLaterPages=mark)
    return buffer.getvalue()


def _story(content: Content, town_indicators: Sequence[str]) -> list[Flowable]:
    return [
        Paragraph(escape(f"{content['district']['name']}网格日报"), TITLE),
        Paragraph(escape(_under(content)), UNDER),
        *([Paragraph(escape(line), BODY)] if (line := wording.replaces_line(content)) else []),
        Paragraph("一、全区数字", HEADING),
        _district(content),
        Paragraph("二、分镇（街道）", HEADING),
        _towns(content, wording.declared(content, town_indicators)),
        Paragraph("三、未报村（社区）", HEADING),
        *_by_town(wording.silent_by_town(content)),
        Paragraph("零报告村（社区）", HEADING),
        *_by_town(wording.nil_by_town(content)),
        Paragraph("四、未同步手机", HEADING),
        *_devices(content),
        Paragraph("五、补报与说明", HEADING),
        *(Paragraph(escape(line), BODY) for line in wording.late_lines(content)),
        *(
            Paragraph(f"{place}. {escape(line)}", BODY)
            for place, line in enumerate(wording.notes(content), 1)
        ),
        Spacer(1, 6),
        Paragraph("口径", HEADING),
        *(Paragraph(escape(_definition(each)), SMALL) for each in content["indicators"]),
    ]


def _under(content: Content) -> str:
    parts = [wording.number_text(content), wording.day_text(content["day"]), wording.until_text(content)]
    return "　　".join(parts)


def _definition(words: Mapping[str, Any]) -> str:
    return f"{words['id']} {words['name']['zh']}：{words['note']['zh']}"


def _district(content: Content) -> Table:
    known, figures = wording.words_of(content), content["figures"][content["district"]["code"]]
    cells = [
        (
            Paragraph(escape(wording.titled(known[name])), CELL),
            wording.figure_text(known[name], figures[name]),
        )
        for name in known
    ]
    rows = [cells[start : start + PAIRS] for start in range(0, len(cells), PAIRS)]
    flat = [[part for pair in row for part in pair] + [""] * (2 * (PAIRS - len(row))) for row in rows]
    width = (A4[0] - 2 * MARGIN) / PAIRS
    aligned = [("ALIGN", (place, 0), (place, -1), "RIGHT") for place in range(1, 2 * PAIRS, 2)]
    return Table(flat, colWidths=[width * 0.66, width * 0.34] * PAIRS, style=TableStyle(GRID + aligned))


def _towns(content: Content, names: Sequence[str]) -> Table:
    known = wording.words_of(content)
    heads = ["镇（街道）", *(Paragraph(escape(wording.titled(known[name])), SMALL) for name in names)]
    towns = [area for area in content["areas"] if area["level"] == "town"]
    total = {"code": content["district"]["code"], "name": "合计"}
    rows = [
        [
            area["name"],
            *(wording.figure_text(known[name], content["figures"][area["code"]][name]) for name in names),
        ]
        for area in [total, *towns]
    ]
    first = 24 * mm
    width = (A4[0] - 2 * MARGIN - first) / max(len(names), 1)
    style = TableStyle(
        [*GRID, HEAD_GRAY, ("ALIGN", (1, 1), (-1, -1), "RIGHT"), ("FONTSIZE", (0, 1), (-1, -1), 8)]
    )
    return Table([heads, *rows], colWidths=[first] + [width] * len(names), repeatRows=1, style=style)


def _by_town(found: list[tuple[str, list[str]]]) -> list[Flowable]:
    if not found:
        return [Paragraph("无", BODY)]
    return [Paragraph(escape(f"{town}（{len(names)}）：{'、'.join(names)}"), CELL) for town, names in found]


def _devices(content: Content) -> list[Flowable]:
    silent, names = content["devices"]["silent"], wording.places(content)
    if not silent:
        return [Paragraph("无", BODY)]
    lines = [
        f"{each['label']}（{'、'.join(names.get(code, code) for code in each['villages'][:3])}；"
        f"最近联系 {local(each.get('last_contact_at')) or '无'}）"
        for each in silent[:DEVICES_SHOWN]
    ]
    rest = len(silent) - DEVICES_SHOWN
    return [Paragraph(escape("；".join(lines) + (f"；另有{rest}台，见工作簿⑰" if rest > 0 else "")), CELL)]


def _marker(content: Content, digest: str) -> Any:
    def mark(canvas: Canvas, document: Any) -> None:
        canvas.saveState()
        canvas.setFont(FONT, 8)
        foot = f"{wording.number_text(content)}　第{document.page}页"
        if digest:
            by = f"{content['frozen_by']['name']} {local(content['frozen_at'])} 发布"
            canvas.drawString(MARGIN, 8 * mm, by)
            canvas.drawString(MARGIN, 4.5 * mm, f"SHA-256 {digest}")
        canvas.drawRightString(A4[0] - MARGIN, 8 * mm, foot)
        if "number" not in content:
            canvas.setFont(FONT, 60)
            canvas.setFillColor(colors.Color(0.85, 0.2, 0.2, alpha=0.18))
            canvas.translate(A4[0] / 2, A4[1] / 2)
            canvas.rotate(35)
            canvas.drawCentredString(0, 0, "临时数据 未发布")
        canvas.restoreState()

    return mark
