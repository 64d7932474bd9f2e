-- Cases, meetings, notices and objections. The message of each is sealed (objectors, opinions); what is searched,
-- counted or audited stands in columns beside it. Times are unix milliseconds, days are days since 1970-01-01,
-- amounts are fen.
CREATE TABLE cases (
  id BINARY(16) NOT NULL PRIMARY KEY,
  application BINARY(16) NOT NULL,
  state TINYINT NOT NULL,
  notice BINARY(16) NULL,
  amount_fen BIGINT NOT NULL,
  line_digest BINARY(32) NULL,
  reserved TINYINT NOT NULL,
  version BIGINT NOT NULL,
  sealed MEDIUMBLOB NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL,
  UNIQUE KEY application (application),
  KEY state (state, id),
  KEY notice (notice, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT UPDATE ON {schema}.cases TO {serve};

-- minutes_digest: set once, when the meeting is closed.
CREATE TABLE meetings (
  id BINARY(16) NOT NULL PRIMARY KEY,
  state TINYINT NOT NULL,
  minutes_digest BINARY(32) NULL,
  version BIGINT NOT NULL,
  sealed MEDIUMBLOB NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT UPDATE ON {schema}.meetings TO {serve};

-- last_day: of the period, once it runs, with the calendar that made it.
CREATE TABLE notices (
  id BINARY(16) NOT NULL PRIMARY KEY,
  state TINYINT NOT NULL,
  list_digest BINARY(32) NOT NULL,
  total_fen BIGINT NOT NULL,
  last_day INT NULL,
  provisional TINYINT NOT NULL,
  calendar_digest BINARY(32) NULL,
  version BIGINT NOT NULL,
  sealed MEDIUMBLOB NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL,
  KEY state (state, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT UPDATE ON {schema}.notices TO {serve};

CREATE TABLE objections (
  id BINARY(16) NOT NULL PRIMARY KEY,
  notice BINARY(16) NOT NULL,
  case_id BINARY(16) NOT NULL,
  state TINYINT NOT NULL,
  holds TINYINT NOT NULL,
  version BIGINT NOT NULL,
  sealed MEDIUMBLOB NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL,
  KEY notice (notice, id),
  KEY case_id (case_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT UPDATE ON {schema}.objections TO {serve};
