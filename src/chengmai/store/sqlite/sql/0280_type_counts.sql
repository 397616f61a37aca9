-- How many entities of each type there are, so that nobody counts them: triggers keep it, whoever writes.
CREATE TABLE type_count (
  tenant TEXT    NOT NULL,
  type   TEXT    NOT NULL,
  n      INTEGER NOT NULL,
  PRIMARY KEY (tenant, type)
) WITHOUT ROWID;
INSERT INTO type_count SELECT tenant, type, count(*) FROM entity_type GROUP BY tenant, type;
CREATE TRIGGER type_count_more AFTER INSERT ON entity_type BEGIN
  INSERT INTO type_count VALUES (NEW.tenant, NEW.type, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER type_count_less AFTER DELETE ON entity_type BEGIN
  UPDATE type_count SET n = n - 1 WHERE tenant = OLD.tenant AND type = OLD.type;
END;
