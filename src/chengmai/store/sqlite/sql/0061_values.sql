-- What q may ask by index. A key is one path of q (names, then the trail into the value) as JSON; it comes into
-- being when a question had to read many entities for want of it. Every write keeps its values from then on;
-- it answers questions once `ready` is 1, when the entities up to `filled_row` and beyond have been read.
CREATE TABLE value_key (
  key        INTEGER PRIMARY KEY,
  tenant     TEXT    NOT NULL,
  path       TEXT    NOT NULL,
  ready      INTEGER NOT NULL DEFAULT 0,
  filled_row INTEGER NOT NULL DEFAULT -1,
  UNIQUE (tenant, path)
);

-- One row a target element of the path that is defined, `n` in the order of the entity. `kind` says what
-- `val` is: 1 a number, 2 a text, 3 an instant in µs, 4 a truth value, 5 the target of a link; 9 is anything
-- else (lists, maps, long texts), which only the entity itself can answer for.
CREATE TABLE entity_value (
  key  INTEGER NOT NULL,
  row  INTEGER NOT NULL,
  n    INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  val,
  PRIMARY KEY (key, row, n)
) WITHOUT ROWID;
CREATE INDEX entity_value_by ON entity_value (key, kind, val, row);
