-- Cases as they stand. `doc` is the whole case as JSON; the other columns are what it is found by.
CREATE TABLE city_case (
  tenant   TEXT    NOT NULL,
  case_id  TEXT    NOT NULL,
  state    TEXT    NOT NULL,
  unit     TEXT    NOT NULL,
  vital    TEXT,
  due_us   INTEGER,
  since_us INTEGER NOT NULL,
  doc      TEXT    NOT NULL,
  PRIMARY KEY (tenant, case_id)
);
CREATE INDEX city_case_by_deadline ON city_case (tenant, state, due_us);
CREATE INDEX city_case_by_vital ON city_case (tenant, vital);

-- What happened to a case. Rows are only ever inserted.
CREATE TABLE case_log (
  tenant     TEXT    NOT NULL,
  case_id    TEXT    NOT NULL,
  n          INTEGER NOT NULL,
  at_us      INTEGER NOT NULL,
  by_id      TEXT    NOT NULL,
  by_name    TEXT    NOT NULL,
  by_role    TEXT    NOT NULL,
  step       TEXT    NOT NULL,
  from_state TEXT,
  to_state   TEXT    NOT NULL,
  note       TEXT    NOT NULL,
  facts      TEXT    NOT NULL,
  idem_key   TEXT,
  PRIMARY KEY (tenant, case_id, n)
);
CREATE INDEX case_log_by_key ON case_log (tenant, by_id, idem_key);

-- The last case number given out on a day (yyyymmdd).
CREATE TABLE case_number (
  tenant TEXT    NOT NULL,
  day    TEXT    NOT NULL,
  last   INTEGER NOT NULL,
  PRIMARY KEY (tenant, day)
);
