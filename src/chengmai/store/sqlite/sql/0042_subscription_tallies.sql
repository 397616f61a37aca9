-- What became of the notifications of a subscription: counted apart from its document, which does not change by it.
CREATE TABLE subscription_tally (
  tenant     TEXT    NOT NULL,
  id         TEXT    NOT NULL,
  sent       INTEGER NOT NULL,
  failed     INTEGER NOT NULL,
  last_us    INTEGER NOT NULL,
  success_us INTEGER,
  failure_us INTEGER,
  ok         INTEGER NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;

CREATE TABLE csource_subscription_tally (
  tenant     TEXT    NOT NULL,
  id         TEXT    NOT NULL,
  sent       INTEGER NOT NULL,
  failed     INTEGER NOT NULL,
  last_us    INTEGER NOT NULL,
  success_us INTEGER,
  failure_us INTEGER,
  ok         INTEGER NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
