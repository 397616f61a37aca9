-- Snapshots: `space` is the tenant that their entities lie under, `doc` the document as JSON. One that is over
-- has neither tenant nor id any more, until its space is empty.
CREATE TABLE snapshot (
  space      TEXT    NOT NULL PRIMARY KEY,
  tenant     TEXT,
  id         TEXT,
  expires_us INTEGER NOT NULL,
  doc        BLOB    NOT NULL,
  UNIQUE (tenant, id)
) WITHOUT ROWID;
