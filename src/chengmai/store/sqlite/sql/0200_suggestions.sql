-- Suggestions to move shared resources, as they stand. The entity is what others see; this row decides.
CREATE TABLE suggestion (
  tenant  TEXT NOT NULL,
  id      TEXT NOT NULL,
  pack    TEXT NOT NULL,
  pool    TEXT NOT NULL,
  state   TEXT NOT NULL,
  made_us INTEGER NOT NULL,
  doc     TEXT NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
CREATE INDEX suggestion_of_pool ON suggestion (tenant, pack, pool, made_us);
