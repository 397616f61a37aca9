-- Answers to surveys as counts, and marks of browsers and accounts that have answered (HMAC-SHA-256, forgotten with
-- the result). Nothing joins a mark to an answer: no row holds one person's choices.
CREATE TABLE survey_count (
  tenant   TEXT NOT NULL,
  survey   TEXT NOT NULL,
  stratum  TEXT NOT NULL,
  question TEXT NOT NULL,
  option   TEXT NOT NULL,
  n        INTEGER NOT NULL,
  PRIMARY KEY (tenant, survey, stratum, question, option)
) WITHOUT ROWID;
CREATE TABLE survey_mark (
  tenant TEXT NOT NULL,
  survey TEXT NOT NULL,
  who    TEXT NOT NULL,
  PRIMARY KEY (tenant, survey, who)
) WITHOUT ROWID;
