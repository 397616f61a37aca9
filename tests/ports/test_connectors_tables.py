"""CSV, Parquet and Excel files: from a folder that files are put into, and from a server."""

from __future__ import annotations

import io
import os
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from chengmai.connect.problems import SourceMissing
from chengmai.packs.feeds import ANY_FEED
from tests.ports.serving import a_polled, polled, serving
from tests.unit.connect.builders import ListSink, an_entity

SAMPLES = os.environ.get("CHENGMAI_SAMPLES")
HEADER = "time,station,PM2.5,CO"
ROWS = ["2026-11-22 08:00,one,12,500", "2026-11-22 08:00,two,14,600"]


def a_feed(columns: Sequence[str] = ("PM2.5", "CO"), **source: Any) -> Any:
    return ANY_FEED.validate_python(
        {
            "id": "gauges",
            "title": {"zh": "测点", "en": "gauges"},
            "connector": "table",
            "entity": "Gauge",
            "period": "PT1H",
            "source": source,
            "time": {"column": "time", "zone": "Asia/Shanghai"},
            "map": {
                "id": "{station}",
                "area": {"value": "East"},
                "attributes": {
                    "pm25": {"column": columns[0], "unit": "GQ"},
                    "co": {"column": columns[1], "unit": "GQ"},
                },
            },
        }
    )


def a_csv(path: Path, *rows: str, encoding: str = "utf-8", header: str = HEADER) -> Path:
    path.write_bytes(("\n".join([header, *rows]) + "\n").encode(encoding))
    return path


def a_book(path: Path, rows: Sequence[Any], sheet: str = "Data", **more: Any) -> Path:
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    made = book.create_sheet(sheet)
    for row in rows:
        made.append(row)
    for cells in more.get("merged", ()):
        made.merge_cells(cells)
    book.save(path)
    return path


async def read(folder: Path, address: str, sink: ListSink | None = None, **source: Any) -> ListSink:
    return await polled(a_feed(**source), an_entity(), address, sink, folder=folder)


def values(sink: ListSink) -> list[tuple[str, float]]:
    return [(r.entity_id[-3:], float(r.values["pm25"])) for r in sink.live]


def reasons(sink: ListSink) -> dict[str, int]:
    return dict(Counter(reject.code for reject in sink.rejects))


# -- CSV ----------------------------------------------------------------------------------------


async def test_rows_of_a_csv_become_readings_at_their_time(tmp_path: Path) -> None:
    a_csv(tmp_path / "a.csv", *ROWS)
    sink = await read(tmp_path, "a.csv")
    assert values(sink) == [("one", 12.0), ("two", 14.0)]
    assert sink.live[0].observed_at.isoformat() == "2026-11-22T00:00:00+00:00"


async def test_a_file_that_grows_gives_its_new_rows_also_after_a_restart(tmp_path: Path) -> None:
    path = a_csv(tmp_path / "a.csv", ROWS[0])
    sink = await read(tmp_path, "a.csv")
    with path.open("a") as file:
        file.write(ROWS[1] + "\n")
    await read(tmp_path, "a.csv", sink)
    assert values(sink) == [("one", 12.0), ("two", 14.0)]


async def test_a_line_in_writing_is_read_again_when_it_is_whole(tmp_path: Path) -> None:
    path = a_csv(tmp_path / "a.csv", ROWS[0])
    with path.open("a") as file:
        file.write("2026-11-22 08:00,two")
    sink = await read(tmp_path, "a.csv")
    with path.open("a") as file:
        file.write(",14,600\n")
    await read(tmp_path, "a.csv", sink)
    assert (values(sink), reasons(sink)) == ([("one", 12.0), ("two", 14.0)], {"bad_row": 1})


async def test_a_file_that_was_replaced_is_read_from_its_beginning(tmp_path: Path) -> None:
    a_csv(tmp_path / "a.csv", *ROWS)
    sink = await read(tmp_path, "a.csv")
    a_csv(tmp_path / "a.csv", "2026-11-22 09:00,one,13,500", ROWS[1])
    await read(tmp_path, "a.csv", sink)
    assert values(sink)[2:] == [("one", 13.0), ("two", 14.0)]


async def test_a_file_that_comes_later_is_read_and_the_earlier_ones_are_not(tmp_path: Path) -> None:
    a_csv(tmp_path / "a.csv", ROWS[0])
    sink = await read(tmp_path, "*.csv")
    a_csv(tmp_path / "b.csv", ROWS[1])
    await read(tmp_path, "*.csv", sink)
    assert values(sink) == [("one", 12.0), ("two", 14.0)]


async def test_a_chinese_encoding_and_lines_before_the_header_are_read(tmp_path: Path) -> None:
    text = "城市空气质量报表\n" + "\n".join(
        ["time,station,浓度,CO", "2026-11-22 08:00,北站,12,500"]
    )
    (tmp_path / "a.csv").write_bytes((text + "\n").encode("gb18030"))
    feed = a_feed(columns=("浓度", "CO"), encoding="gb18030", skip_rows=1)
    sink = await polled(feed, an_entity(), "a.csv", folder=tmp_path)
    assert [(r.entity_id, r.values["pm25"]) for r in sink.live] == [
        ("urn:ngsi-ld:Gauge:北站", 12.0)
    ]


async def test_the_wrong_encoding_is_told_by_row(tmp_path: Path) -> None:
    a_csv(tmp_path / "a.csv", ROWS[0], "2026-11-22 08:00,城中,12,500", encoding="gb18030")
    sink = await read(tmp_path, "a.csv")
    assert (values(sink), reasons(sink)) == ([("one", 12.0)], {"bad_text": 1})


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("2026-11-22 08:00,x,1", "bad_row"),
        ("yesterday,x,1,2", "bad_time"),
        ("2026-11-22 08:00,,1,2", "missing_id"),
        ("2026-11-22 08:00,x,99999,2", "out_of_range"),
        ("2026-11-22 08:00,x,one,2", "bad_number"),
        ("2036-11-22 08:00,x,1,2", "future_time"),
        ("x" * 2_000_000, "line_too_long"),
    ],
)
async def test_a_wrong_row_is_told_and_the_next_is_read(
    tmp_path: Path, row: str, code: str
) -> None:
    a_csv(tmp_path / "a.csv", row, ROWS[0])
    sink = await read(tmp_path, "a.csv")
    assert reasons(sink) == {code: 1}
    assert sink.live[-1].values == {"pm25": 12.0, "co": 0.5}


async def test_a_csv_without_the_columns_of_the_mapping_is_told(tmp_path: Path) -> None:
    a_csv(tmp_path / "a.csv", *ROWS, header="time,station,PM10,SO2")
    sink = await read(tmp_path, "a.csv")
    assert (sink.live, reasons(sink)) == ([], {"unknown_attribute": 2})


async def test_a_path_that_names_no_file_is_a_missing_source(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match=r"no file matches \*\.csv"):
        await a_polled(a_feed(), an_entity(), "*.csv", folder=tmp_path).run(ListSink())


async def test_a_csv_comes_from_a_server_as_well(tmp_path: Path) -> None:
    with serving() as shelf:
        shelf.documents["a.csv"] = a_csv(tmp_path / "a.csv", *ROWS).read_bytes()
        sink = await polled(a_feed(), an_entity(), shelf.at("a.csv"))
    assert values(sink) == [("one", 12.0), ("two", 14.0)]


# -- Parquet ------------------------------------------------------------------------------------


def a_parquet(path: Path, rows: int) -> Path:
    with duckdb.connect() as db:
        db.execute(
            "COPY (SELECT TIMESTAMP '2026-11-01 00:00:00' + to_minutes(i) AS time, 'one' AS station,"
            f' CAST(i % 900 AS DOUBLE) AS "PM2.5", 500 AS "CO" FROM range({rows}) AS t(i))'
            f" TO '{path}' (FORMAT parquet)"
        )
    return path


async def test_rows_of_a_parquet_file_become_readings(tmp_path: Path) -> None:
    a_parquet(tmp_path / "a.parquet", 3)
    assert values(await read(tmp_path, "a.parquet")) == [("one", 0.0), ("one", 1.0), ("one", 2.0)]


async def test_a_parquet_file_that_is_cut_off_is_one_reject(tmp_path: Path) -> None:
    path = a_parquet(tmp_path / "a.parquet", 3)
    path.write_bytes(path.read_bytes()[:-20])
    a_csv(tmp_path / "b.csv", ROWS[0])
    sink = await read(tmp_path, "*.*")
    assert (values(sink), reasons(sink)) == ([("one", 12.0)], {"bad_document": 1})


# -- Excel --------------------------------------------------------------------------------------

AT = datetime(2026, 11, 22, 8)  # noqa: DTZ001 - a cell holds no zone


async def test_rows_of_a_sheet_become_readings_with_dates_as_they_are(tmp_path: Path) -> None:
    rows = [HEADER.split(","), [AT, "one", 12, 500], [AT, "two", "14", None]]
    a_book(tmp_path / "a.xlsx", rows)
    sink = await read(tmp_path, "a.xlsx", sheet="Data")
    assert values(sink) == [("one", 12.0), ("two", 14.0)]
    assert sink.live[0].observed_at.isoformat() == "2026-11-22T00:00:00+00:00"
    assert "co" not in sink.live[1].values


async def test_a_header_of_two_lines_with_merged_cells_names_its_columns(tmp_path: Path) -> None:
    rows = [
        ["空气质量日报"],
        ["time", "station", "空气", None],
        [None, None, "PM2.5", "CO"],
        [AT, "one", 12, 500],
    ]
    a_book(tmp_path / "a.xlsx", rows, merged=["C2:D2", "A2:A3", "B2:B3"])
    feed = a_feed(("空气 / PM2.5", "空气 / CO"), sheet="Data", skip_rows=1, header_rows=2)
    sink = await polled(feed, an_entity(), "a.xlsx", folder=tmp_path)
    assert [r.values for r in sink.live] == [{"pm25": 12.0, "co": 0.5}]


async def test_a_cell_that_spans_rows_counts_for_all_of_them_where_the_feed_says_so(
    tmp_path: Path,
) -> None:
    rows = [HEADER.split(","), [AT, "one", 12, 500], [AT.replace(hour=9), None, 13, None]]
    a_book(tmp_path / "a.xlsx", rows, merged=["B2:B3"])
    sink = await read(tmp_path, "a.xlsx", sheet="Data", fill_down=["station"])
    assert values(sink) == [("one", 12.0), ("one", 13.0)]
    assert "co" not in sink.live[1].values
    assert reasons(await read(tmp_path, "a.xlsx", sheet="Data")) == {"missing_id": 1}


async def test_a_book_with_a_password_and_one_of_old_excel_are_told_what_to_do(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.xlsx").write_bytes(bytes.fromhex("D0CF11E0A1B11AE1") + bytes(600))
    sink = await read(tmp_path, "a.xlsx")
    assert reasons(sink) == {"bad_document": 1}
    assert "save it as .xlsx without a password" in sink.rejects[0].detail


async def test_a_book_in_which_no_sheet_can_be_read_is_told(tmp_path: Path) -> None:
    path = a_book(tmp_path / "a.xlsx", [HEADER.split(",")])
    strict = io.BytesIO()
    with zipfile.ZipFile(path) as book, zipfile.ZipFile(strict, "w") as made:
        for name in book.namelist():
            content = book.read(name)
            made.writestr(name, content.replace(b"<sheets>", b"<s>").replace(b"</sheets>", b"</s>"))
    path.write_bytes(strict.getvalue())
    sink = await read(tmp_path, "a.xlsx")
    assert reasons(sink) == {"bad_document": 1}
    assert "no sheet that can be read" in sink.rejects[0].detail


async def test_a_formula_that_was_never_calculated_is_told(tmp_path: Path) -> None:
    rows = [HEADER.split(","), [AT, "one", "=6+6", 500], [AT, "two", 14, 600]]
    a_book(tmp_path / "a.xlsx", rows)
    sink = await read(tmp_path, "a.xlsx", sheet="Data")
    assert (values(sink), reasons(sink)) == ([("two", 14.0)], {"no_value": 1})
    assert sink.rejects[0].where == "a.xlsx:2"


async def test_the_value_of_a_formula_is_taken(tmp_path: Path) -> None:
    path = a_book(tmp_path / "a.xlsx", [HEADER.split(","), [AT, "one", "=6+6", 500]])
    calculated = io.BytesIO()
    with zipfile.ZipFile(path) as book, zipfile.ZipFile(calculated, "w") as made:
        for name in book.namelist():
            text = book.read(name)
            made.writestr(
                name, text.replace(b"<v></v>", b"<v>12</v>").replace(b"<v />", b"<v>12</v>")
            )
    path.write_bytes(calculated.getvalue())
    assert values(await read(tmp_path, "a.xlsx", sheet="Data")) == [("one", 12.0)]


async def test_a_sheet_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    a_book(tmp_path / "a.xlsx", [HEADER.split(",")])
    sink = await read(tmp_path, "a.xlsx", sheet="数据")
    assert reasons(sink) == {"bad_document": 1}
    assert sink.rejects[0].detail == "there is no sheet '数据'; there are Notes, Data"


async def test_a_book_that_is_cut_off_or_none_at_all_is_one_reject(tmp_path: Path) -> None:
    path = a_book(tmp_path / "a.xlsx", [HEADER.split(",")])
    path.write_bytes(path.read_bytes()[:-50])
    (tmp_path / "b.xlsx").write_text("not a workbook")
    assert reasons(await read(tmp_path, "*.xlsx", sheet="Data")) == {"bad_document": 2}


async def test_a_book_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    a_book(tmp_path / "a.xlsx", [[" " * 30_000] * 10 for _ in range(20)])
    sink = await read(tmp_path, "a.xlsx", sheet="Data", max_unpacked=10_000)
    assert reasons(sink) == {"too_large": 1}


async def test_a_long_sheet_is_read_in_little_memory(tmp_path: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Data")
    sheet.append(HEADER.split(","))
    for number in range(4000):
        sheet.append([AT, f"s{number % 50}", number % 900, 500])
    book.save(tmp_path / "a.xlsx")
    sink = CountingSink()
    tracemalloc.start()
    try:
        await read(tmp_path, "a.xlsx", sink, sheet="Data")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sink.count == 4000
    assert most < 30 * 1024 * 1024


class CountingSink(ListSink):
    count = 0

    async def accept(self, readings: Any, rejects: Any, cursor: Any = None) -> None:
        await super().accept((), rejects, cursor)
        self.count += len(readings)


@pytest.mark.skipif(SAMPLES is None, reason="CHENGMAI_SAMPLES names no folder of published samples")
async def test_a_published_recording_is_read_row_by_row() -> None:
    assert SAMPLES is not None
    feed: Any = ANY_FEED.validate_python(
        {
            **a_feed().model_dump(by_alias=True),
            "source": {},
            "time": {
                "columns": ["year", "month", "day", "hour"],
                "format": "%Y %m %d %H",
                "zone": "Asia/Shanghai",
            },
        }
    )
    sink = CountingSink()
    address = "beijing_air/PRSA_Data_Dongsi_20130301-20170228.csv"
    await polled(feed, an_entity(), address, sink, folder=Path(SAMPLES))
    print(sink.count, reasons(sink))
