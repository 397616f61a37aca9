-- When first something of an entity expires; most entities never do and have no row.
CREATE TABLE transient (
  tenant TEXT    NOT NULL,
  id     TEXT    NOT NULL,
  due_us INTEGER NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
CREATE INDEX transient_due ON transient (due_us);

-- What is left of an entity that expired: its past. `doc` is the entity without its attributes.
CREATE TABLE remnant (
  tenant TEXT NOT NULL,
  id     TEXT NOT NULL,
  doc    BLOB NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
