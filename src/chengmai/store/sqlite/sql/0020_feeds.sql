-- One row a feed: its cursor and its counters as JSON, written in the transaction of its readings.
CREATE TABLE feed_state (
  tenant TEXT NOT NULL,
  feed   TEXT NOT NULL,
  state  BLOB NOT NULL,
  PRIMARY KEY (tenant, feed)
) WITHOUT ROWID;
