-- Rules on entities. `doc` is the whole thing as JSON; the other columns are what it is found by.
CREATE TABLE rule (
  tenant TEXT NOT NULL,
  id     TEXT NOT NULL,
  doc    TEXT NOT NULL,
  PRIMARY KEY (tenant, id)
);

-- Every version of a rule. Rows are only ever inserted.
CREATE TABLE rule_version (
  tenant  TEXT    NOT NULL,
  id      TEXT    NOT NULL,
  version INTEGER NOT NULL,
  doc     TEXT    NOT NULL,
  PRIMARY KEY (tenant, id, version)
);

-- What was counted of an entity for a version of a rule; due_us is when time alone has something to say.
CREATE TABLE rule_count (
  tenant  TEXT    NOT NULL,
  rule    TEXT    NOT NULL,
  version INTEGER NOT NULL,
  entity  TEXT    NOT NULL,
  due_us  INTEGER,
  counted BLOB    NOT NULL,
  PRIMARY KEY (tenant, rule, version, entity)
);
CREATE INDEX rule_count_by_due ON rule_count (due_us) WHERE due_us IS NOT NULL;

CREATE TABLE rule_firing (
  tenant   TEXT    NOT NULL,
  id       TEXT    NOT NULL,
  rule     TEXT    NOT NULL,
  entity   TEXT    NOT NULL,
  fired_us INTEGER NOT NULL,
  active   INTEGER NOT NULL,
  doc      TEXT    NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX rule_firing_by_time ON rule_firing (tenant, fired_us);
CREATE INDEX rule_firing_by_rule ON rule_firing (tenant, rule, fired_us);
CREATE INDEX rule_firing_by_entity ON rule_firing (tenant, entity, fired_us);

-- Commands to devices. `watched` is the entity on which the effect is awaited, NULL while none is.
CREATE TABLE device_command (
  tenant  TEXT    NOT NULL,
  id      TEXT    NOT NULL,
  state   TEXT    NOT NULL,
  made_us INTEGER NOT NULL,
  due_us  INTEGER,
  watched TEXT,
  doc     TEXT    NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX device_command_by_due ON device_command (due_us) WHERE due_us IS NOT NULL;
CREATE INDEX device_command_by_time ON device_command (tenant, made_us);
CREATE INDEX device_command_by_watched ON device_command (tenant, watched) WHERE watched IS NOT NULL;
