"""What comes with the program: places of China, groups and tiers, and an example data set."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from chengmai.assess.countries import CountryPackage, read_country
from chengmai.assess.frameworks.model import Framework, read_framework
from chengmai.assess.gazetteer import Gazetteer
from chengmai.assess.groups import Frame
from chengmai.assess.model import Place, Programme, ReportedFigure
from chengmai.assess.panel.columns import Book, Columns, Rows
from chengmai.assess.panel.model import SHEET_TYPE
from chengmai.assess.panel.reading import entry_of, read_sheets
from chengmai.assess.records import KINDS, read_places, read_table
from chengmai.kernel.ids import urn
from chengmai.kernel.texts import Text

_DATA = resources.files("chengmai.assess") / "data"


@dataclass(frozen=True)
class Example:
    """A data set with its figures as they were published, and an invented registry that agrees with them."""

    programmes: tuple[Programme, ...]
    figures: tuple[ReportedFigure, ...]
    towns: tuple[Place, ...]
    """Invented places below one county, to show how far down one can look."""
    on: date = date(2014, 12, 31)
    before: date = date(2013, 12, 31)


@cache
def shipped_places() -> tuple[Place, ...]:
    """Return the divisions of China: provincial, prefecture and county level, of the end of 2023."""
    rows = csv.DictReader((_DATA / "divisions.csv").read_text("utf-8").splitlines())
    return tuple(read_places(enumerate(rows, 2)))


@cache
def shipped_gazetteer() -> Gazetteer:
    """Return the shipped places alone."""
    return Gazetteer(shipped_places())


@cache
def shipped_frame() -> Frame:
    """Return the groups, tiers and denominators that come with the program: those of China."""
    return shipped_country().frame()


@cache
def shipped_country() -> CountryPackage:
    """Return the package of China."""
    return read_country((_DATA / "countries" / "cn.json").read_text("utf-8"))


@cache
def shipped_frameworks() -> tuple[Framework, ...]:
    """Return the frameworks that come with the program, the oldest first."""
    files = (one for one in (_DATA / "frameworks").iterdir() if one.name.endswith(".json"))
    found = (read_framework(one.read_text("utf-8")) for one in files)
    return tuple(sorted(found, key=lambda one: one.in_force_from))


@dataclass(frozen=True)
class SecurityCheck:
    """A security check that software can do, with the clause that asks for it."""

    id: str
    title: Text
    clause: str
    trust: str


@cache
def shipped_checks() -> dict[str, SecurityCheck]:
    """Return the security checks that come with the program, by id."""
    rows = csv.DictReader((_DATA / "security_checks.csv").read_text("utf-8").splitlines())
    made = (SecurityCheck(row["id"], _text(row), row["clause"], row["trust"]) for row in rows)
    return {one.id: one for one in made}


@cache
def shipped_example() -> Example:
    """Return the figures of 国脉互联 as they were published, with a registry made up to agree with them."""
    folder = _DATA / "example"
    programmes = read_table(KINDS["programmes"], (folder / "programmes.csv").read_text("utf-8"))
    figures = read_table(KINDS["figures"], (folder / "figures.csv").read_text("utf-8"))
    towns = read_table(KINDS["places"], (folder / "towns.csv").read_text("utf-8"))
    return Example(
        tuple(one for one in programmes if isinstance(one, Programme)),
        tuple(one for one in figures if isinstance(one, ReportedFigure)),
        tuple(one for one in towns if isinstance(one, Place)),
    )


@cache
def shipped_columns() -> Columns:
    """Return the values of the example: made up for 45 cities and eight years, so that reports can be seen."""
    rows = Rows(Book())
    text = (_DATA / "example" / "sheets.csv").read_text("utf-8")
    for _, sheet in read_sheets(text.splitlines()):
        rows.add(entry_of(sheet, urn(SHEET_TYPE, sheet.id)))
    return rows.columns()


def _text(told: dict[str, Any]) -> Text:
    return Text(zh=told["zh"], en=told["en"])
