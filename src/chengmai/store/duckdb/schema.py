"""The tables of the sealed history, and how a file of an earlier shape becomes one of this.

An instant is kept as whole seconds and the rest, and when an observation was recorded as how much later that
was: so each column holds small numbers, which DuckDB packs into few bits. `past` shows them as they were told.
"""

from __future__ import annotations

import duckdb

_SCHEMA = """
CREATE TABLE IF NOT EXISTS observation (
  run INTEGER NOT NULL, series INTEGER NOT NULL, at_s BIGINT NOT NULL, sub_us INTEGER NOT NULL,
  lag_us BIGINT NOT NULL, seq BIGINT NOT NULL, observed BOOLEAN NOT NULL, num DOUBLE, body VARCHAR);
CREATE TABLE IF NOT EXISTS run (id INTEGER NOT NULL, level INTEGER NOT NULL, held BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS watermark (sealed_seq BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS block (tenant VARCHAR NOT NULL, id VARCHAR NOT NULL);
ALTER TABLE block ADD COLUMN IF NOT EXISTS recorded_us BIGINT;
CREATE TABLE IF NOT EXISTS hourly (
  series INTEGER NOT NULL, slot INTEGER NOT NULL, n INTEGER NOT NULL, odd BOOLEAN NOT NULL,
  first_us BIGINT NOT NULL, last_us BIGINT NOT NULL, least DOUBLE, greatest DOUBLE,
  whole HUGEINT, part HUGEINT, square_whole HUGEINT, square_part HUGEINT,
  exact BOOLEAN NOT NULL, square_exact BOOLEAN NOT NULL);
CREATE TABLE IF NOT EXISTS daily AS FROM hourly LIMIT 0;
CREATE TABLE IF NOT EXISTS rolled (upto INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS let_go (series INTEGER NOT NULL, before_day INTEGER NOT NULL);
INSERT INTO rolled SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM rolled);
INSERT INTO watermark SELECT -1 WHERE NOT EXISTS (SELECT 1 FROM watermark);
CREATE VIEW IF NOT EXISTS past AS SELECT series, at_s, at_s * 1000000 + sub_us AS at_us,
  at_s * 1000000 + sub_us + lag_us AS modified_us, seq, observed, num, body FROM observation;
"""
_AT_ONCE = 1_000_000
_FROM_FIRST_SHAPE = f"""
INSERT INTO observation SELECT rowid // {_AT_ONCE} + 1, series, floor(at_us / 1e6),
  at_us - 1000000 * CAST(floor(at_us / 1e6) AS BIGINT), modified_us - at_us, seq, observed, num, body
  FROM first_shape;
INSERT INTO run SELECT run, 1, count(*) FROM observation GROUP BY run;
DROP TABLE first_shape;
"""


def prepare(db: duckdb.DuckDBPyConnection) -> None:
    """Make the tables that are missing, and bring what an earlier version wrote into them."""
    db.execute("BEGIN")
    earlier = db.execute(
        "SELECT 1 FROM duckdb_columns() WHERE table_name = 'observation' AND column_name = 'at_us'"
    ).fetchall()
    if earlier:
        db.execute("ALTER TABLE observation RENAME TO first_shape")
    db.execute(_SCHEMA)
    if earlier:
        db.execute(_FROM_FIRST_SHAPE)
    db.execute("COMMIT")
