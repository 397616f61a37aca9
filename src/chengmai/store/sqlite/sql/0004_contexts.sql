-- JSON-LD contexts that the city serves or has fetched. `body` is the document, with its "@context".
CREATE TABLE jsonld_context (
  tenant     TEXT    NOT NULL,
  id         TEXT    NOT NULL,
  url        TEXT    NOT NULL,
  kind       TEXT    NOT NULL,
  body       BLOB    NOT NULL,
  created_us INTEGER NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
