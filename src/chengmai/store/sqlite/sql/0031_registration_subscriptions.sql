-- Subscriptions to registrations, and what became due to them; as `subscription` and `outbox`.
CREATE TABLE csource_subscription (
  tenant TEXT NOT NULL,
  id     TEXT NOT NULL,
  doc    BLOB NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;

CREATE TABLE csource_outbox (
  seq          INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant       TEXT    NOT NULL,
  subscription TEXT    NOT NULL,
  entity       TEXT    NOT NULL,
  created_us   INTEGER NOT NULL,
  body         BLOB    NOT NULL
);
CREATE INDEX csource_outbox_subscription ON csource_outbox (tenant, subscription, seq);
