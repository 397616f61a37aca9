"""A report on paper: PDF with links from every number to its note, and from notes to records.

Latin letters are set in Helvetica, all others in the Song type that PDF readers bring for Chinese
(`STSong-Light`, a standard font of the format): nothing is embedded, and no font file is needed here.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from html import escape
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table, TableStyle

from chengmai.web.cockpit.assess.report import LineView, Mark, ReportView
from chengmai.web.cockpit.texts import Words

_SONG = "STSong-Light"
_INK = {"good": "#1d6b3a", "bad": "#a3231b", "even": "#35506b", "none": "#5a6773"}
_PLAIN = ParagraphStyle("plain", fontName="Helvetica", fontSize=8, leading=11, wordWrap="CJK")
_SMALL = ParagraphStyle(
    "small", parent=_PLAIN, fontSize=7, leading=9.5, textColor=colors.HexColor("#3d4a57")
)
_HEAD = ParagraphStyle("head", parent=_PLAIN, fontSize=16, leading=20, spaceAfter=4)
_PART = ParagraphStyle("part", parent=_PLAIN, fontSize=11, leading=15, spaceBefore=8, spaceAfter=3)
_RUN = re.compile(r"[^\x20-\x7e\xa0-\xff]+")
_WIDTH = landscape(A4)[0] - 24 * mm


def as_pdf(view: ReportView, words: Words, base: str = "") -> bytes:
    """Return a report as PDF; `base` is the address of the city that links lead to, none without it."""
    pdfmetrics.registerFont(UnicodeCIDFont(_SONG))
    out = io.BytesIO()
    made = SimpleDocTemplate(
        out,
        pagesize=landscape(A4),
        leftMargin=12 * mm,
        rightMargin=12 * mm,
        topMargin=12 * mm,
        bottomMargin=14 * mm,
        title=view.title,
        lang=words.lang,
        invariant=True,
    )

    def foot(canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont(_SONG, 7)
        canvas.drawString(12 * mm, 8 * mm, f"{view.title}  {view.on}")
        canvas.setFont("Helvetica", 7)
        canvas.drawRightString(landscape(A4)[0] - 12 * mm, 8 * mm, str(document.page))
        canvas.restoreState()

    made.build(list(_story(view, words, base.rstrip("/"))), onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _story(view: ReportView, words: Words, base: str) -> list[Any]:
    told: list[Any] = [_text(view.title, _HEAD), _text(f"{view.about} · {view.on}", _SMALL)]
    told += [_text(words("assess.conclusions"), _PART)]
    told += [_text(f"· {sentence}") for sentence in view.sentences]
    told += [_noted(f"{name}: {value}", note) for name, value, note in view.standing]
    told += [_text(words("outlook.gaps"), _PART)]
    told.append(_gaps(view, words) if view.gaps else _text(view.no_gaps))
    if view.suggestions:
        told += [_text(words("outlook.suggestions"), _PART), _suggestions(view, words)]
    told += [_text(words("outlook.state"), _PART), _lines(view, words)]
    told += [_text(words("outlook.earlier"), _PART)]
    told += (
        [_text(view.scores), _kept(view, words, base)]
        if view.kept
        else [_text(words("outlook.none_kept"))]
    )
    told += [_text(words("outlook.notes"), _PART)]
    for note in view.notes:
        link = (
            f' <a href="{escape(base + note.link)}" color="#1b4f8a">↗</a>'
            if note.link and base
            else ""
        )
        anchor = f'<a name="note-{note.number}"/>[{note.number}] '
        told.append(Paragraph(anchor + _set(note.text) + _song(link), _SMALL))
    return told


def _set(text: str) -> str:
    """Return text as markup, in two types: Helvetica has no Chinese, and Song no good Latin."""
    return _song(escape(text))


def _song(markup: str) -> str:
    return _RUN.sub(lambda run: f'<font name="{_SONG}">{run.group()}</font>', markup)


def _text(text: str, style: ParagraphStyle = _PLAIN) -> Paragraph:
    return Paragraph(_set(text), style)


def _ref(number: int) -> str:
    return f' <super><a href="#note-{number}" color="#1b4f8a">[{number}]</a></super>'


def _noted(text: str, number: int) -> Paragraph:
    return Paragraph(_set(text) + _ref(number), _PLAIN)


def _linked(text: str, link: str) -> Paragraph:
    if not link:
        return _text(text)
    return Paragraph(f'<a href="{escape(link)}" color="#1b4f8a">{_set(text)}</a>', _PLAIN)


def _mark(mark: Mark) -> Paragraph:
    ink = _INK[mark.kind]
    return Paragraph(f'<font color="{ink}">{_set(f"{mark.shape} {mark.word}")}</font>', _PLAIN)


def _table(header: Sequence[Any], rows: Sequence[Sequence[Any]], shares: Sequence[float]) -> Table:
    head = [cell if isinstance(cell, Paragraph) else _text(cell, _SMALL) for cell in header]
    body = [[cell if isinstance(cell, Paragraph) else _text(cell) for cell in row] for row in rows]
    made = Table([head, *body], colWidths=[_WIDTH * share for share in shares], repeatRows=1)
    made.setStyle(
        TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, -1), 0.3, colors.HexColor("#c8d0d8")),
                ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.HexColor("#35506b")),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 2),
                ("RIGHTPADDING", (0, 0), (-1, -1), 3),
                ("TOPPADDING", (0, 0), (-1, -1), 1.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    return made


def _gaps(view: ReportView, words: Words) -> Table:
    header = (
        words("outlook.indicator"),
        words("assess.value"),
        words("outlook.median"),
        words("assess.rank"),
        words("outlook.course"),
    )
    rows = [
        (_noted(one.title, one.note), one.value, one.median, one.place, _mark(one.course))
        for one in view.gaps
    ]
    return _table(header, rows, (0.4, 0.15, 0.18, 0.12, 0.15))


def _suggestions(view: ReportView, words: Words) -> Table:
    header = (
        words("outlook.indicator"),
        words("outlook.advice"),
        words("outlook.to_median"),
        words("outlook.gain"),
        words("assess.node"),
    )
    rows = [
        (_noted(one.title, one.note), one.advice, one.move, one.gain, one.nodes)
        for one in view.suggestions
    ]
    return _table(header, rows, (0.24, 0.4, 0.14, 0.1, 0.12))


def _lines(view: ReportView, words: Words) -> Table:
    header = (
        words("outlook.indicator"),
        words("assess.value"),
        words("outlook.median"),
        words("outlook.against"),
        words("outlook.course"),
        words("outlook.next"),
        words("outlook.test"),
    )
    return _table(
        header,
        [_line(one, words) for one in view.lines],
        (0.22, 0.11, 0.11, 0.13, 0.09, 0.18, 0.16),
    )


def _line(one: LineView, words: Words) -> Sequence[Any]:
    following = one.forecast
    if one.naive:
        following += "; " + words("outlook.naive", value=one.naive)
    return (
        _noted(one.title, one.note),
        f"{one.value} ({one.period})",
        one.median,
        _mark(one.against),
        _mark(one.course),
        following,
        _text(one.test or "–", _SMALL),
    )


def _kept(view: ReportView, words: Words, base: str) -> Table:
    header = (
        words("outlook.indicator"),
        words("outlook.made"),
        words("outlook.for"),
        words("outlook.said"),
        words("outlook.came"),
        words("outlook.error"),
        words("outlook.interval"),
    )
    rows = [
        (
            _noted(one.title, one.note) if one.note else one.title,
            _linked(one.made, base + one.link if base else ""),
            one.period,
            one.said,
            one.came,
            f"{one.error} ({one.naive})",
            one.inside,
        )
        for one in view.kept
    ]
    return _table(header, rows, (0.24, 0.12, 0.12, 0.2, 0.1, 0.12, 0.1))
