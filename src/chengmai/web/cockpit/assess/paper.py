"""A report on paper: PDF with links from every number to its note, and from notes to records.

Latin letters are set in Helvetica. All others are set in a TrueType font whose glyphs are embedded, where the
city names one; else in the Song type that readers bring for Chinese (`STSong-Light`, a standard font of the
format), which a reader without it replaces by another.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table, TableStyle

from chengmai.kernel.problems import Invalid
from chengmai.web.cockpit.assess.report import LineView, Mark, ReportView
from chengmai.web.cockpit.texts import Words

_SONG, _EMBEDDED = "STSong-Light", "Embedded"
_INK = {"good": "#1d6b3a", "bad": "#a3231b", "even": "#35506b", "none": "#5a6773"}
_PLAIN = ParagraphStyle("plain", fontName="Helvetica", fontSize=8, leading=11, wordWrap="CJK")
_SMALL = ParagraphStyle(
    "small", parent=_PLAIN, fontSize=7, leading=9.5, textColor=colors.HexColor("#3d4a57")
)
_HEAD = ParagraphStyle("head", parent=_PLAIN, fontSize=16, leading=20, spaceAfter=4)
_PART = ParagraphStyle("part", parent=_PLAIN, fontSize=11, leading=15, spaceBefore=8, spaceAfter=3)
_RUN = re.compile(r"[^\x20-\x7e\xa0-\xff]+")
_WIDTH = landscape(A4)[0] - 24 * mm


def as_pdf(view: ReportView, words: Words, base: str = "", font: Path | None = None) -> bytes:
    """Return a report as PDF; `base` is the address of the city that links lead to, none without it.

    Of `font`, a TrueType file, the glyphs that are used are embedded. Raises `Invalid` where it cannot be read.
    """
    type_ = _embedded(font) if font else UnicodeCIDFont(_SONG)
    pdfmetrics.registerFont(type_)
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
        canvas.setFont(type_.fontName, 7)
        canvas.drawString(12 * mm, 8 * mm, f"{view.title}  {view.on}")
        canvas.setFont("Helvetica", 7)
        canvas.drawRightString(landscape(A4)[0] - 12 * mm, 8 * mm, str(document.page))
        canvas.restoreState()

    made.build(
        _Paper(view, words, base.rstrip("/"), type_.fontName).story(),
        onFirstPage=foot,
        onLaterPages=foot,
    )
    return out.getvalue()


def _embedded(font: Path) -> TTFont:
    try:
        return TTFont(_EMBEDDED, str(font))
    except (TTFError, OSError, struct.error) as wrong:
        raise Invalid(
            f"the font {font} cannot be embedded: {wrong}",
            code="report.font",
            param="report_font",
            fix="name a TrueType file with Chinese, such as wqy-microhei.ttc",
            font=str(font),
        ) from None


@dataclass(frozen=True)
class _Paper:
    """The parts of a report; `han` is the font of what is not Latin."""

    view: ReportView
    words: Words
    base: str
    han: str

    def story(self) -> list[Any]:
        told: list[Any] = [
            self._text(self.view.title, _HEAD),
            self._text(f"{self.view.about} · {self.view.on}", _SMALL),
        ]
        told += [self._text(self.words("assess.conclusions"), _PART)]
        told += [self._text(f"· {sentence}") for sentence in self.view.sentences]
        told += [self._noted(f"{name}: {value}", note) for name, value, note in self.view.standing]
        told += [self._text(self.words("outlook.gaps"), _PART)]
        told.append(self._gaps() if self.view.gaps else self._text(self.view.no_gaps))
        if self.view.suggestions:
            told += [self._text(self.words("outlook.suggestions"), _PART), self._suggestions()]
        told += [self._text(self.words("outlook.state"), _PART), self._lines()]
        told += [self._text(self.words("outlook.earlier"), _PART)]
        told += (
            [self._text(self.view.scores), self._kept()]
            if self.view.kept
            else [self._text(self.words("outlook.none_kept"))]
        )
        told += [self._text(self.words("outlook.notes"), _PART)]
        for note in self.view.notes:
            link = (
                f' <a href="{escape(self.base + note.link)}" color="#1b4f8a">↗</a>'
                if note.link and self.base
                else ""
            )
            anchor = f'<a name="note-{note.number}"/>[{note.number}] '
            told.append(Paragraph(anchor + self._set(note.text) + self._song(link), _SMALL))
        return told

    def _set(self, text: str) -> str:
        """Return text as markup, in two types: Helvetica has no Chinese, and Song no good Latin."""
        return self._song(escape(text))

    def _song(self, markup: str) -> str:
        return _RUN.sub(lambda run: f'<font name="{self.han}">{run.group()}</font>', markup)

    def _text(self, text: str, style: ParagraphStyle = _PLAIN) -> Paragraph:
        return Paragraph(self._set(text), style)

    def _ref(self, number: int) -> str:
        return f' <super><a href="#note-{number}" color="#1b4f8a">[{number}]</a></super>'

    def _noted(self, text: str, number: int) -> Paragraph:
        return Paragraph(self._set(text) + self._ref(number), _PLAIN)

    def _linked(self, text: str, link: str) -> Paragraph:
        if not link:
            return self._text(text)
        return Paragraph(f'<a href="{escape(link)}" color="#1b4f8a">{self._set(text)}</a>', _PLAIN)

    def _mark(self, mark: Mark) -> Paragraph:
        ink = _INK[mark.kind]
        return Paragraph(
            f'<font color="{ink}">{self._set(f"{mark.shape} {mark.word}")}</font>', _PLAIN
        )

    def _table(
        self, header: Sequence[Any], rows: Sequence[Sequence[Any]], shares: Sequence[float]
    ) -> Table:
        head = [
            cell if isinstance(cell, Paragraph) else self._text(cell, _SMALL) for cell in header
        ]
        body = [
            [cell if isinstance(cell, Paragraph) else self._text(cell) for cell in row]
            for row in rows
        ]
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

    def _gaps(self) -> Table:
        header = (
            self.words("outlook.indicator"),
            self.words("assess.value"),
            self.words("outlook.median"),
            self.words("assess.rank"),
            self.words("outlook.course"),
        )
        rows = [
            (
                self._noted(one.title, one.note),
                one.value,
                one.median,
                one.place,
                self._mark(one.course),
            )
            for one in self.view.gaps
        ]
        return self._table(header, rows, (0.4, 0.15, 0.18, 0.12, 0.15))

    def _suggestions(self) -> Table:
        header = (
            self.words("outlook.indicator"),
            self.words("outlook.advice"),
            self.words("outlook.to_median"),
            self.words("outlook.gain"),
            self.words("assess.node"),
        )
        rows = [
            (self._noted(one.title, one.note), one.advice, one.move, one.gain, one.nodes)
            for one in self.view.suggestions
        ]
        return self._table(header, rows, (0.24, 0.4, 0.14, 0.1, 0.12))

    def _lines(self) -> Table:
        header = (
            self.words("outlook.indicator"),
            self.words("assess.value"),
            self.words("outlook.median"),
            self.words("outlook.against"),
            self.words("outlook.course"),
            self.words("outlook.next"),
            self.words("outlook.test"),
        )
        return self._table(
            header,
            [self._line(one) for one in self.view.lines],
            (0.22, 0.11, 0.11, 0.13, 0.09, 0.18, 0.16),
        )

    def _line(self, one: LineView) -> Sequence[Any]:
        following = one.forecast
        if one.naive:
            following += "; " + self.words("outlook.naive", value=one.naive)
        return (
            self._noted(one.title, one.note),
            f"{one.value} ({one.period})",
            one.median,
            self._mark(one.against),
            self._mark(one.course),
            following,
            self._text(one.test or "–", _SMALL),
        )

    def _kept(self) -> Table:
        header = (
            self.words("outlook.indicator"),
            self.words("outlook.made"),
            self.words("outlook.for"),
            self.words("outlook.said"),
            self.words("outlook.came"),
            self.words("outlook.error"),
            self.words("outlook.interval"),
        )
        rows = [
            (
                self._noted(one.title, one.note) if one.note else one.title,
                self._linked(one.made, self.base + one.link if self.base else ""),
                one.period,
                one.said,
                one.came,
                f"{one.error} ({one.naive})",
                one.inside,
            )
            for one in self.view.kept
        ]
        return self._table(header, rows, (0.24, 0.12, 0.12, 0.2, 0.1, 0.12, 0.1))
