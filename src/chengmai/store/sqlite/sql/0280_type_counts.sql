-- How many entities of each type there are, so that nobody counts them. Whoever writes entity_type writes this.
CREATE TABLE type_count (
  tenant TEXT    NOT NULL,
  type   TEXT    NOT NULL,
  n      INTEGER NOT NULL,
  PRIMARY KEY (tenant, type)
) WITHOUT ROWID;
INSERT INTO type_count SELECT tenant, type, count(*) FROM entity_type GROUP BY tenant, type;
