-- People who can sign in. `roles` is a JSON list.
CREATE TABLE account (
  tenant       TEXT    NOT NULL,
  id           TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  display_name TEXT    NOT NULL,
  roles        TEXT    NOT NULL,
  password     TEXT    NOT NULL,
  created_us   INTEGER NOT NULL,
  disabled     INTEGER NOT NULL,
  failures     INTEGER NOT NULL,
  locked_us    INTEGER,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX account_by_name ON account (tenant, name);

-- Attempts to sign in with a name nobody has (or that is locked): a count, and nothing about who tried.
CREATE TABLE sign_in_stranger (
  tenant   TEXT    NOT NULL PRIMARY KEY,
  attempts INTEGER NOT NULL,
  last_us  INTEGER NOT NULL
);

-- Signed-in browsers, by the SHA-256 of their token.
CREATE TABLE session (
  tenant     TEXT    NOT NULL,
  digest     TEXT    NOT NULL,
  account_id TEXT    NOT NULL,
  started_us INTEGER NOT NULL,
  seen_us    INTEGER NOT NULL,
  address    TEXT    NOT NULL,
  PRIMARY KEY (tenant, digest)
);
CREATE UNIQUE INDEX session_by_digest ON session (digest);
CREATE INDEX session_by_account ON session (tenant, account_id);

-- Keys of machines, by the SHA-256 of their secret.
CREATE TABLE api_token (
  tenant     TEXT    NOT NULL,
  id         TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  roles      TEXT    NOT NULL,
  digest     TEXT    NOT NULL,
  created_us INTEGER NOT NULL,
  created_by TEXT    NOT NULL,
  expires_us INTEGER,
  revoked_us INTEGER,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX api_token_by_id ON api_token (id);

-- The audit chain of each tenant. Rows are only ever inserted.
CREATE TABLE audit (
  tenant     TEXT    NOT NULL,
  seq        INTEGER NOT NULL,
  at_us      INTEGER NOT NULL,
  actor      TEXT    NOT NULL,
  action     TEXT    NOT NULL,
  object     TEXT    NOT NULL,
  detail     TEXT    NOT NULL,
  request_id TEXT    NOT NULL,
  prev_hash  TEXT    NOT NULL,
  hash       TEXT    NOT NULL,
  PRIMARY KEY (tenant, seq)
);
