CREATE TABLE subscription (
  tenant TEXT NOT NULL,
  id     TEXT NOT NULL,
  doc    BLOB NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;

-- What became due, in the order in which it became due; a row goes when its receiver has it.
CREATE TABLE outbox (
  seq          INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant       TEXT    NOT NULL,
  subscription TEXT    NOT NULL,
  entity       TEXT    NOT NULL,
  created_us   INTEGER NOT NULL,
  body         BLOB    NOT NULL
);
CREATE INDEX outbox_subscription ON outbox (tenant, subscription, seq);
