-- Fitted models of forecasts: parameters and versions as JSON, never code. What is lost is fitted anew.
CREATE TABLE forecast_model (
  tenant     TEXT NOT NULL,
  key        TEXT NOT NULL,
  trained_us INTEGER NOT NULL,
  state      BLOB NOT NULL,
  PRIMARY KEY (tenant, key)
) WITHOUT ROWID;
