-- One series an attribute instance kept over time. What lies at or below `hidden_seq` was deleted.
CREATE TABLE series (
  series     INTEGER PRIMARY KEY,
  tenant     TEXT    NOT NULL,
  entity     TEXT    NOT NULL,
  attr       TEXT    NOT NULL,
  dataset    TEXT    NOT NULL DEFAULT '',
  kind       TEXT    NOT NULL,
  unit       TEXT    NOT NULL DEFAULT '',
  hidden_seq INTEGER NOT NULL DEFAULT -1,
  UNIQUE (tenant, entity, attr, dataset)
);

-- Recent observations; older ones are sealed. One row a series and instant: a second one is a correction.
-- `num` holds numbers; `body` the instance as JSON where there is more than a number to keep.
CREATE TABLE observation (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  series      INTEGER NOT NULL,
  at_us       INTEGER NOT NULL,
  modified_us INTEGER NOT NULL,
  observed    INTEGER NOT NULL,
  num         REAL,
  body        TEXT
);
CREATE UNIQUE INDEX observation_series ON observation (series, at_us);

-- Sealed observations of `series` up to `seq` are to be dropped when the sealer next runs.
CREATE TABLE history_drop (
  series INTEGER PRIMARY KEY,
  seq    INTEGER NOT NULL
);

-- How far the sealed part had come when recent rows were last removed: a sealed file that lags is refused.
CREATE TABLE seal_mark (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  upto INTEGER NOT NULL
);
INSERT INTO seal_mark (id, upto) VALUES (1, -1);
