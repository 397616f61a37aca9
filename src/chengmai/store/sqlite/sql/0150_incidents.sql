-- Incidents as they stand. `doc` is the whole incident as JSON; the other columns are what it is found by.
CREATE TABLE incident (
  tenant      TEXT    NOT NULL,
  incident_id TEXT    NOT NULL,
  nature      TEXT    NOT NULL,
  state       TEXT    NOT NULL,
  since_us    INTEGER NOT NULL,
  ended_us    INTEGER,
  doc         TEXT    NOT NULL,
  PRIMARY KEY (tenant, incident_id)
);
CREATE INDEX incident_by_state ON incident (tenant, state, nature, since_us);

-- The vital signs of incidents that are open.
CREATE TABLE incident_member (
  tenant      TEXT NOT NULL,
  nature      TEXT NOT NULL,
  vital       TEXT NOT NULL,
  incident_id TEXT NOT NULL,
  PRIMARY KEY (tenant, nature, vital)
) WITHOUT ROWID;

-- What happened to an incident. Rows are only ever inserted.
CREATE TABLE incident_log (
  tenant      TEXT    NOT NULL,
  incident_id TEXT    NOT NULL,
  n           INTEGER NOT NULL,
  at_us       INTEGER NOT NULL,
  by_id       TEXT    NOT NULL,
  by_name     TEXT    NOT NULL,
  step        TEXT    NOT NULL,
  reason      TEXT    NOT NULL,
  note        TEXT    NOT NULL,
  facts       TEXT    NOT NULL,
  idem_key    TEXT,
  PRIMARY KEY (tenant, incident_id, n)
);
CREATE INDEX incident_log_by_key ON incident_log (tenant, by_id, idem_key);
CREATE INDEX incident_log_by_time ON incident_log (tenant, at_us);

-- The last incident number given out on a day (yyyymmdd).
CREATE TABLE incident_number (
  tenant TEXT    NOT NULL,
  day    TEXT    NOT NULL,
  last   INTEGER NOT NULL,
  PRIMARY KEY (tenant, day)
);

-- What was shown to a person and when first, or since when it is held back.
CREATE TABLE alarm_shown (
  tenant  TEXT    NOT NULL,
  person  TEXT    NOT NULL,
  alarm   TEXT    NOT NULL,
  level   TEXT    NOT NULL,
  at_us   INTEGER,
  held_us INTEGER,
  PRIMARY KEY (tenant, person, alarm)
);
CREATE INDEX alarm_shown_by_time ON alarm_shown (tenant, at_us);
CREATE INDEX alarm_held_by_time ON alarm_shown (tenant, held_us);
