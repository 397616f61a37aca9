-- Which entities a query found, and who holds each, until an instant. `doc` is entity id to holders as JSON.
CREATE TABLE entity_map (
  tenant     TEXT    NOT NULL,
  id         TEXT    NOT NULL,
  expires_us INTEGER NOT NULL,
  doc        BLOB    NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
CREATE INDEX entity_map_expires ON entity_map (expires_us);
