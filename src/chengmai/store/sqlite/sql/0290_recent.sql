-- The register of series with a row an entity. `series` is JSON: of each stretch of numbers [first, shape], and the
-- seq at or below which what was recorded is deleted, by place in the shape, where there is one.
CREATE TABLE register (
  tenant TEXT NOT NULL,
  entity TEXT NOT NULL,
  series BLOB NOT NULL,
  PRIMARY KEY (tenant, entity)
) WITHOUT ROWID;

-- What the series of a stretch are of: JSON, of each series [attribute, dataset, kind, unit].
CREATE TABLE shape (
  shape INTEGER PRIMARY KEY,
  names TEXT NOT NULL UNIQUE
);

-- What was recorded and is not sealed yet, one row a change. `owner` is the first number of a series that the entity
-- was given. `rows` is JSON, of each observation [series, at_us, observed, num, body], and the instant at which it
-- was recorded where that is not `recorded_us`. Later ones correct earlier ones of the same series and instant.
CREATE TABLE recent (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  owner       INTEGER NOT NULL,
  recorded_us INTEGER NOT NULL,
  rows        BLOB    NOT NULL
);
CREATE INDEX recent_owner ON recent (owner);

INSERT INTO shape (names)
SELECT DISTINCT json_array(json_array(attr, dataset, kind, unit)) FROM series;

INSERT INTO register (tenant, entity, series)
SELECT s.tenant, s.entity, CAST(json_group_array(
  CASE WHEN s.hidden_seq < 0 THEN json_array(s.series, p.shape)
  ELSE json_array(s.series, p.shape, json_object('0', s.hidden_seq)) END ORDER BY s.series) AS BLOB)
FROM series s JOIN shape p ON p.names = json_array(json_array(s.attr, s.dataset, s.kind, s.unit))
GROUP BY s.tenant, s.entity;

-- Seventeen digits tell every number from its neighbours; json_array writes fewer.
INSERT INTO recent (seq, owner, recorded_us, rows)
SELECT o.seq, w.owner, o.modified_us, CAST(
  '[[' || o.series || ',' || o.at_us || ',' || iif(o.observed, 'true', 'false') || ','
  || iif(o.num IS NULL, 'null', printf('%!.17g', o.num)) || ','
  || iif(o.body IS NULL, 'null', json_quote(o.body)) || ']]' AS BLOB)
FROM observation o
JOIN series s USING (series)
JOIN (SELECT tenant, entity, min(series) AS owner FROM series GROUP BY tenant, entity) w
  ON w.tenant = s.tenant AND w.entity = s.entity
ORDER BY o.seq;

DELETE FROM sqlite_sequence WHERE name = 'recent';
INSERT INTO sqlite_sequence (name, seq) SELECT 'recent', seq FROM sqlite_sequence WHERE name = 'observation';
DROP TABLE observation;
DROP TABLE series;
