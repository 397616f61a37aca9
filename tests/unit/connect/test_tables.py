from __future__ import annotations

import tracemalloc
from pathlib import Path

import duckdb
import pytest

from chengmai.connect.problems import SourceFailed, SourceMissing
from chengmai.connect.tables import (
    CsvTable,
    Mark,
    NdjsonTable,
    ParquetTable,
    Row,
    Table,
    open_tables,
    read_side_table,
)
from chengmai.connect.times import ROW
from chengmai.packs.feeds import ReplaySource

MIB = 1024 * 1024


def rows(table: Table, mark: Mark = Mark()) -> list[Row]:  # noqa: B008 - frozen
    return list(table.rows(mark))


def csv_file(tmp_path: Path, text: str) -> CsvTable:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode())
    return CsvTable(path)


def test_csv_rows_carry_their_columns_and_their_line(tmp_path: Path) -> None:
    found = rows(csv_file(tmp_path, '\ufeffa,"b, c"\r\n1,2\r\n\r\n"3","x ""y"""\r\n'))
    assert [row.record for row in found] == [
        {"a": "1", "b, c": "2", ROW: 0},
        {"a": "3", "b, c": 'x "y"', ROW: 2},
    ]
    assert [row.where for row in found] == ["t.csv:2", "t.csv:4"]


def test_a_bad_csv_row_is_told_and_does_not_end_the_table(tmp_path: Path) -> None:
    found = rows(csv_file(tmp_path, 'a,b\n1,2\n1,2,3\n"1,2\n3,4\n'))
    assert [row.fault.code if row.fault else None for row in found] == [
        None,
        "bad_row",
        "bad_row",
        None,
    ]
    assert found[-1].record == {"a": "3", "b": "4", ROW: 3}


def test_a_table_is_read_on_from_the_mark_of_any_row(tmp_path: Path) -> None:
    table = csv_file(tmp_path, "a\n" + "\n".join(str(n) for n in range(50)) + "\n")
    whole = rows(table)
    for row in (whole[0], whole[17], whole[49]):
        assert rows(table, Mark(row.number, row.offset)) == whole[row.number :]


def test_a_line_of_100_mb_is_skipped_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.ndjson"
    with path.open("wb") as file:
        file.write(b'{"a": 1}\n')
        file.seek(100 * MIB, 1)  # a hole: the file system keeps no block for it
        file.write(b'\n{"a": 2}\n')
    tracemalloc.start()
    try:
        found = rows(NdjsonTable(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [row.fault.code if row.fault else row.record for row in found] == [
        {"a": 1, ROW: 0},
        "line_too_long",
        {"a": 2, ROW: 2},
    ]
    assert peak < 8 * MIB


def test_a_line_of_exactly_the_limit_is_still_read(tmp_path: Path) -> None:
    path = tmp_path / "edge.ndjson"
    head, tail = b'{"a":"', b'"}'
    line = head + b"x" * (MIB - len(head) - len(tail)) + tail
    path.write_bytes(line + b"\n" + line.replace(b"x", b"xx", 1) + b"\n")
    found = rows(NdjsonTable(path))
    assert found[0].fault is None
    assert found[1].fault is not None


def test_broken_json_is_told_and_the_next_line_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.ndjson"
    path.write_text('{"a": {"b": 1}}\n{"a": \n[1]\n{"a": 2}\n')
    found = rows(NdjsonTable(path))
    assert [row.fault.code if row.fault else row.record for row in found] == [
        {"a.b": 1, ROW: 0},
        "bad_json",
        "bad_json",
        {"a": 2, ROW: 3},
    ]


def test_parquet_rows_are_read_from_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    with duckdb.connect() as db:
        db.execute(f"COPY (SELECT range AS n FROM range(2500)) TO '{path}' (FORMAT parquet)")
    found = rows(ParquetTable(path), Mark(2498, 2498))
    assert [row.record for row in found] == [{"n": 2498, ROW: 2498}, {"n": 2499, ROW: 2499}]


def test_a_broken_parquet_file_is_a_failed_source(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1 and nothing more")
    with pytest.raises(SourceFailed, match=r"t\.parquet"):
        rows(ParquetTable(path))


def test_globs_find_files_in_order_and_say_what_is_missing(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv"):
        (tmp_path / name).write_text("x\n1\n")
    found = open_tables(tmp_path, ReplaySource(files=("*.csv", "a.csv")))
    assert [table.path.name for table in found] == ["a.csv", "b.csv"]
    with pytest.raises(SourceMissing) as problem:
        open_tables(tmp_path, ReplaySource(files=("*.parquet",)))
    assert problem.value.param == "source.files"


def test_a_side_table_is_found_by_its_key(tmp_path: Path) -> None:
    csv_file(tmp_path, "id,lon\none,120\ntwo,121\n")
    assert read_side_table(tmp_path / "t.csv", "id")["two"] == {"id": "two", "lon": "121"}
