-- What receivers of snapshots are to be told, in order; `receiver` is endpoint and receiverInfo as JSON.
CREATE TABLE snapshot_outbox (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  space      TEXT    NOT NULL,
  snapshot   TEXT    NOT NULL,
  tenant     TEXT    NOT NULL,
  created_us INTEGER NOT NULL,
  receiver   BLOB    NOT NULL,
  body       BLOB    NOT NULL
);
CREATE INDEX snapshot_outbox_space ON snapshot_outbox (space, seq);
CREATE INDEX snapshot_outbox_tenant ON snapshot_outbox (tenant);
