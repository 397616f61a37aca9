-- The register of series in one tree instead of two: a series is looked up by what it is of, never by its number.
CREATE TABLE series_by_owner (
  series     INTEGER NOT NULL,
  tenant     TEXT    NOT NULL,
  entity     TEXT    NOT NULL,
  attr       TEXT    NOT NULL,
  dataset    TEXT    NOT NULL DEFAULT '',
  kind       TEXT    NOT NULL,
  unit       TEXT    NOT NULL DEFAULT '',
  hidden_seq INTEGER NOT NULL DEFAULT -1,
  PRIMARY KEY (tenant, entity, attr, dataset)
) WITHOUT ROWID;
INSERT INTO series_by_owner (series, tenant, entity, attr, dataset, kind, unit, hidden_seq)
SELECT series, tenant, entity, attr, dataset, kind, unit, hidden_seq FROM series
ORDER BY tenant, entity, attr, dataset;

-- The highest number that may have been given to a series.
CREATE TABLE series_number (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  upto INTEGER NOT NULL
);
INSERT INTO series_number (id, upto) SELECT 1, coalesce(max(series), 0) FROM series;

DROP TABLE series;
ALTER TABLE series_by_owner RENAME TO series;
