-- Cases, meetings, notices, objections and delegations. The message of each is sealed (objectors, opinions); what is searched,
-- counted or audited stands in columns beside it. Times are unix milliseconds, days are days since 1970-01-01,
-- amounts are fen.
-- waiting_since: day of the submission, while the case waits for the association's opinion. Its last day is counted when
-- it is shown, by the calendar of that moment.
CREATE TABLE cases (
  id BINARY(16) NOT NULL PRIMARY KEY,
  application BINARY(16) NOT NULL,
  state TINYINT NOT NULL,
  notice BINARY(16) NULL,
  amount_fen BIGINT NOT NULL,
  line_digest BINARY(32) NULL,
  reserved TINYINT NOT NULL,
  assignee VARCHAR(100) NULL,
  waiting_since INT NULL,
  version BIGINT NOT NULL,
  sealed MEDIUMBLOB NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL,
  UNIQUE KEY application (application),
  KEY state (state, id),
  KEY notice (notice, id),
  KEY waiting (waiting_since, id),
  KEY assignee (assignee, waiting_since, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT UPDATE ON {schema}.cases TO {serve};

-- The journal's rows that a case's history consists of, by request_key.
CREATE TABLE case_trail (
  case_id BINARY(16) NOT NULL,
  request_key BINARY(32) NOT NULL,
  PRIMARY KEY (case_id, request_key)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

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

-- number: on its notice, from 1. waiting_since: day on which the step that is due began.
CREATE TABLE objections (
  id BINARY(16) NOT NULL PRIMARY KEY,
  notice BINARY(16) NOT NULL,
  case_id BINARY(16) NOT NULL,
  number INT NOT NULL,
  state TINYINT NOT NULL,
  holds TINYINT NOT NULL,
  waiting_since INT NULL,
  version BIGINT NOT NULL,
  sealed MEDIUMBLOB NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL,
  KEY notice (notice, id),
  UNIQUE KEY number (notice, number),
  KEY case_id (case_id, id),
  KEY waiting (waiting_since, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT UPDATE ON {schema}.objections TO {serve};

-- entry: request_key of the journal row that put it on record; it joins the history of each case in which it is used.
CREATE TABLE delegations (
  id BINARY(16) NOT NULL PRIMARY KEY,
  delegator VARCHAR(100) NOT NULL,
  delegate VARCHAR(100) NOT NULL,
  first_day INT NOT NULL,
  last_day INT NOT NULL,
  revoked TINYINT NOT NULL,
  entry BINARY(32) NOT NULL,
  version BIGINT NOT NULL,
  sealed MEDIUMBLOB NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL,
  KEY delegate (delegate, delegator, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT UPDATE ON {schema}.delegations TO {serve};
