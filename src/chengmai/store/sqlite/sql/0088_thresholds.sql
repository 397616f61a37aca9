-- Changes of thresholds that a city decides: what stands here decides levels, the entities only tell of it.
CREATE TABLE threshold_change (
  tenant    TEXT NOT NULL,
  change_id TEXT NOT NULL,
  sign      TEXT NOT NULL,
  state     TEXT NOT NULL,
  doc       TEXT NOT NULL,
  PRIMARY KEY (tenant, change_id)
) WITHOUT ROWID;
CREATE INDEX threshold_change_by_state ON threshold_change (tenant, state, change_id);
