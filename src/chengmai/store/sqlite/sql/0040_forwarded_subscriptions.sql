-- Subscriptions as they were forwarded to sources: `id` is theirs there, `doc` says the rest as JSON.
CREATE TABLE forwarded_subscription (
  tenant TEXT NOT NULL,
  id     TEXT NOT NULL,
  doc    BLOB NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
