-- How much a snapshot holds: what was copied, and what was written within it since.
ALTER TABLE snapshot ADD COLUMN entities  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE snapshot ADD COLUMN instances INTEGER NOT NULL DEFAULT 0;
ALTER TABLE snapshot ADD COLUMN size      INTEGER NOT NULL DEFAULT 0;
