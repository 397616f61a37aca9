"""What was recorded under the register of before is read from the new one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import apsw

from chengmai.kernel.clock import FixedClock
from chengmai.store.duckdb.taking import Row
from chengmai.store.sqlite.file import connect, load_or_make_key, migrate, migrations
from chengmai.store.sqlite.register import Entry, entries
from chengmai.store.sqlite.series import RECENT, last_seq, record, unpacked
from chengmai.store.sqlite.work import SqliteTx, SqliteWork

ODD = 0.1 + 0.2
NUMBER = 290
WORDS = '{"type":"Property","value":"a \\"b\\" 城"}'


def as_before(db: apsw.Connection, entities: Sequence[str]) -> None:
    """Make the file that the release of before made, with three series and observations of each entity."""
    db.execute("CREATE TABLE migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    for number, name, sql in migrations():
        if number < NUMBER:
            db.execute(sql)
            db.execute("INSERT INTO migration VALUES (?, ?)", (number, name))
    for at, entity in enumerate(entities):
        one, other, third = range(5 + 10 * at, 8 + 10 * at)
        db.executemany(
            "INSERT INTO series (series, tenant, entity, attr, dataset, kind, unit, hidden_seq)"
            " VALUES (?, 'city', ?, ?, ?, 'Property', ?, ?)",
            [
                (one, entity, "speed", "", "KMH", -1),
                (third, entity, "flow", "urn:raw", "", 2),
                (other, entity, "level", "", "KMH", -1),
            ],
        )
        db.executemany(
            "INSERT INTO observation (seq, series, at_us, modified_us, observed, num, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (3 + 10 * at, one, 100, 110, True, ODD, None),
                (4 + 10 * at, third, 120, 130, False, None, WORDS),
                (9 + 10 * at, other, 140, 150, True, 1e25, None),
            ],
        )
    db.execute("UPDATE series_number SET upto = 4096")


async def test_a_file_of_the_old_register_keeps_its_series_and_what_is_recent(
    tmp_path: Path,
) -> None:
    path, key = tmp_path / "state.db", load_or_make_key(tmp_path / "key")
    db = connect(path, key)
    as_before(db, ["urn:road:1", "urn:road:2"])
    migrate(db)
    db.close()
    work = SqliteWork(path, key, FixedClock(datetime(2026, 11, 23, tzinfo=UTC)))

    def read(tx: SqliteTx) -> tuple[list[Entry], list[Row], int]:
        found = [*entries(tx, "city", "urn:road:1"), *entries(tx, "city", "urn:road:2")]
        return (
            found,
            list(unpacked(tx.db.execute(f"{RECENT} ORDER BY seq").fetchall())),
            last_seq(tx),
        )

    known, rows, last = await work.read(read)

    assert known == [
        (7, "urn:road:1", "flow", "urn:raw", "Property", "", 2, 5),
        (6, "urn:road:1", "level", "", "Property", "KMH", -1, 5),
        (5, "urn:road:1", "speed", "", "Property", "KMH", -1, 5),
        (17, "urn:road:2", "flow", "urn:raw", "Property", "", 2, 15),
        (16, "urn:road:2", "level", "", "Property", "KMH", -1, 15),
        (15, "urn:road:2", "speed", "", "Property", "KMH", -1, 15),
    ]
    assert rows[:3] == [
        (5, 100, 110, 3, True, ODD, None),
        (7, 120, 130, 4, False, None, WORDS),
        (6, 140, 150, 9, True, 1e25, None),
    ]
    assert last == 19

    reading = {"type": "Property", "value": 3, "unitCode": "KMH"}
    await work.write(lambda tx: record(tx, "city", "urn:road:1", [("speed", reading)]))
    newest = (await work.read(read))[1][-1]
    assert (newest[0], newest[3], newest[5]) == (5, 20, 3.0)
    work.close()
