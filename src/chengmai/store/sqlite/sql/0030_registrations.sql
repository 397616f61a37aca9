-- Context source registrations. `doc` is the document, its names expanded.
CREATE TABLE csource_registration (
  tenant TEXT NOT NULL,
  id     TEXT NOT NULL,
  doc    BLOB NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;

-- What became of the requests forwarded to a source; written now and then, not for each.
CREATE TABLE csource_tally (
  tenant          TEXT    NOT NULL,
  id              TEXT    NOT NULL,
  times_sent      INTEGER NOT NULL,
  times_failed    INTEGER NOT NULL,
  last_success_us INTEGER,
  last_failure_us INTEGER,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
