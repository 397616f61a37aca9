-- The live model. `doc` is the inner form of the entity (ngsild/entity.py) as JSON.
CREATE TABLE entity (
  row         INTEGER PRIMARY KEY,
  tenant      TEXT    NOT NULL,
  id          TEXT    NOT NULL,
  doc         BLOB    NOT NULL,
  version     INTEGER NOT NULL,
  modified_us INTEGER NOT NULL,
  UNIQUE (tenant, id)
);

CREATE TABLE entity_type (
  tenant TEXT    NOT NULL,
  type   TEXT    NOT NULL,
  id     TEXT    NOT NULL,
  row    INTEGER NOT NULL,
  PRIMARY KEY (tenant, type, id)
) WITHOUT ROWID;

-- Bounding box of `location` in degrees; exact geometry is judged on the candidates it yields.
CREATE VIRTUAL TABLE entity_box USING rtree(row, min_lon, max_lon, min_lat, max_lat);
