"""What leaves the house: footnotes in every form, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from chengmai.web.cockpit.tables import Form, Table, as_table, document
from tests.unit.web.builders import signed_in
from tests.unit.web.fake_city import FakeCity

EVIL = '=HYPERLINK("http://x","y")'
TABLE = Table(
    "t",
    "Title",
    ("name", "value", "on"),
    [(EVIL, Decimal("1.50"), date(2024, 1, 2))],
    ("a note", "=2"),
)
WORKBOOKS = (
    "/assessment.xlsx?data=example", "/assessment/ranking.xlsx?data=example&tier=county_city",
    "/assessment/places.xlsx?data=example&code=330000", "/assessment/registry.xlsx?data=example",
    "/assessment/frameworks.xlsx?framework=nsc-2018", "/assessment/values.xlsx?indicator=E01",
    "/assessment/outlook.xlsx?place=330100", "/assessment/indicators.xlsx",
    "/assessment/crosswalk.xlsx", "/assessment/surveys.xlsx",
    "/assessment/surveys/exp2018/data.xlsx",
)  # fmt: skip


def test_json_numbers_its_notes() -> None:
    made = document(TABLE)
    assert made["rows"] == [{"name": EVIL, "value": 1.5, "on": "2024-01-02"}]
    assert made["notes"] == [{"number": 1, "text": "a note"}, {"number": 2, "text": "=2"}]


def test_csv_has_its_notes_after_the_rows_and_no_formula() -> None:
    text = bytes(as_table(TABLE, "csv").body).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[1] == ["'" + EVIL, "1.50", "2024-01-02"]
    assert rows[3:] == [["[1]", "a note", ""], ["[2]", "'=2", ""]]


def test_a_workbook_has_its_notes_on_a_sheet_and_no_formula() -> None:
    book = load_workbook(io.BytesIO(bytes(as_table(TABLE, "xlsx").body)))
    cell = book["t"]["A2"]
    assert (cell.value, cell.data_type) == (EVIL, "s")
    assert book["t"]["B2"].value == 1.5
    assert [row[1] for row in book["notes"].iter_rows(min_row=2, values_only=True)] == [
        "a note",
        "=2",
    ]


def test_letters_that_a_workbook_cannot_hold_are_left_out() -> None:
    made = as_table(Table("t", "T", ("a",), [("x\x00y",)]), "xlsx")
    assert load_workbook(io.BytesIO(bytes(made.body)))["t"]["A2"].value == "xy"


@pytest.mark.parametrize("path", WORKBOOKS)
def test_every_table_of_the_assessment_has_a_workbook_without_formulas(path: str) -> None:
    answer = signed_in(FakeCity(hostile="=cmd()")).get(path)
    assert answer.status_code == 200
    book = load_workbook(io.BytesIO(answer.content))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert cells
    assert all(cell.data_type != "f" for cell in cells)


@pytest.mark.parametrize("form", ["csv", "xlsx", "json"])
def test_a_ranking_says_what_it_counts_and_how_ties_are_placed(form: Form) -> None:
    answer = signed_in().get(f"/assessment/ranking.{form}?data=example")
    text = answer.text
    if form == "xlsx":
        notes = load_workbook(io.BytesIO(answer.content))["notes"]
        text = " ".join(str(row[1]) for row in notes.iter_rows(values_only=True) if len(row) > 1)
    assert "each counts once" in text
    assert "国脉互联" in text
