"""`chengmai assess outlook`: the report of a city or a group, in the terminal or as a file."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import orjson
import typer

from chengmai.app import City
from chengmai.assess.groups import PlaceGroup
from chengmai.assess.outlook.model import Report
from chengmai.assess.outlook.service import Stored
from chengmai.cli.open import DataOption, operator, run_in
from chengmai.cli.output import print_json, print_table
from chengmai.kernel.problems import Invalid
from chengmai.kernel.texts import Lang as TextLang
from chengmai.web.cockpit import texts
from chengmai.web.cockpit.assess.printed import as_html
from chengmai.web.cockpit.assess.report import ReportView, columns, report_view, row
from chengmai.web.cockpit.formats import Formats
from chengmai.web.cockpit.tables import Table, document
from chengmai.web.cockpit.texts import read_words


class Lang(StrEnum):
    """The languages of a report."""

    ZH = "zh"
    EN = "en"


CATALOGS = Path(texts.__file__).parent.parent / "catalogs"
_LANGS: dict[Lang, TextLang] = {Lang.ZH: "zh-CN", Lang.EN: "en"}


def outlook(
    subject: Annotated[
        str, typer.Argument(help="A place by its code, or a group by its id, for example east.")
    ],
    data: DataOption = None,
    on: Annotated[
        datetime | None, typer.Option(help="As of this day.", formats=["%Y-%m-%d"])
    ] = None,
    level: Annotated[
        str | None, typer.Option(help="Of a group: places of this level; else that of most data.")
    ] = None,
    peers: Annotated[str | None, typer.Option(help="Compare within this group only.")] = None,
    lang: Annotated[Lang, typer.Option(help="Language of the report.")] = Lang.EN,
    pdf: Annotated[Path | None, typer.Option(help="Write it as PDF to this file.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write it as HTML to this file.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write it as JSON to this file.")] = None,
    example: Annotated[
        bool, typer.Option("--example", help="Of the made-up values that come with the program.")
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep its forecasts, to be scored.")] = False,
) -> None:
    """Report where a city or group stands, where it is going, what lags, and what would help."""
    if keep and example:
        raise Invalid(
            "forecasts of made-up values are not kept",
            code="outlook.example",
            param="--keep",
            fix="leave out --keep or --example",
        )

    async def make(city: City) -> tuple[Report, Stored | None, Formats, Path | None]:
        by = operator(city)
        groups: tuple[PlaceGroup, ...] = (await city.assess.assessed(by)).statistics.frame.groups
        is_group = any(one.id == subject for one in groups)
        report = await city.outlook.report(
            by,
            place=None if is_group else subject,
            group=subject if is_group else None,
            on=on.date() if on else None,
            level=level,
            peers=peers,
            data="example" if example else "own",
        )
        stored = await city.outlook.keep(by, report) if keep else None
        words = read_words(CATALOGS)[_LANGS[lang]]
        formats = Formats(words, ZoneInfo(city.settings.zone), datetime.now(UTC))
        return report, stored, formats, city.settings.report_font

    report, stored, formats, font = run_in(data, make)
    view = report_view(report, "", formats)
    _write(view, report, formats, pdf=pdf, html=html, json=json, font=font)
    if not (pdf or html or json):
        _print(view, formats)
    if stored is not None:
        typer.echo(
            f"forecasts: {stored.new} kept, {stored.same} kept before, {stored.filled} filled in",
            err=True,
        )


def _write(
    view: ReportView,
    report: Report,
    formats: Formats,
    *,
    pdf: Path | None,
    html: Path | None,
    json: Path | None,
    font: Path | None,
) -> None:
    if pdf is not None:
        from chengmai.web.cockpit.assess.paper import as_pdf  # loads what only paper needs

        _put(pdf, as_pdf(view, formats.words, font=font))
    if html is not None:
        _put(html, as_html(view, formats.words).encode())
    if json is not None:
        shown = zip(report.lines, view.lines, strict=True)
        rows = [row(line, one, formats.words.lang) for line, one in shown]
        notes = [note.text for note in view.notes]
        made: dict[str, Any] = document(Table("outlook", view.title, columns(), rows, notes))
        made["sentences"] = list(view.sentences)
        if str(json) == "-":
            print_json(made)
            return
        _put(json, orjson.dumps(made, option=orjson.OPT_INDENT_2))


def _put(file: Path, body: bytes) -> None:
    try:
        file.write_bytes(body)
    except OSError as error:
        raise Invalid(
            f"{file} cannot be written: {error}",
            code="file.unwritable",
            param=str(file),
            fix="name a file in a folder that exists",
        ) from None
    typer.echo(f"{file}: {len(body):,} bytes", err=True)


def _print(view: ReportView, formats: Formats) -> None:
    words = formats.words
    typer.echo(f"{view.title} · {view.on}\n{view.about}\n")
    for sentence in view.sentences:
        typer.echo(f"- {sentence}")
    for name, value, number in view.standing:
        typer.echo(f"- {name}: {value} [{number}]")
    if not view.lines:
        typer.echo(words("outlook.nothing"))
        return
    typer.echo("")
    print_table(
        ("indicator", "value", "median", "against", "course", "next"),
        [
            (
                *(f"{one.title} [{one.note}]", one.value, one.median),
                *(one.against.word, one.course.word, one.forecast),
            )
            for one in view.lines
        ],
    )
    if view.suggestions:
        typer.echo("")
        print_table(
            ("indicator", "what to do", "to the median", "gives"),
            [(one.title, one.advice, one.move, one.gain) for one in view.suggestions],
        )
    typer.echo("")
    for note in view.notes:
        typer.echo(f"[{note.number}] {note.text}")
