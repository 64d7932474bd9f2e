-- Applications. The message is sealed (accounts); what is searched or counted stands in columns beside it. Times are
-- unix milliseconds; submit_time 0: never.
CREATE TABLE applications (
  id BINARY(16) NOT NULL PRIMARY KEY,
  host_unit BINARY(16) NOT NULL,
  station BINARY(16) NOT NULL,
  state TINYINT NOT NULL,
  category TINYINT NOT NULL,
  subsidy_year SMALLINT NOT NULL,
  requested_amount_fen BIGINT NOT NULL,
  submissions INT NOT NULL,
  submit_time BIGINT NOT NULL,
  version BIGINT NOT NULL,
  sealed MEDIUMBLOB NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL,
  KEY host_unit (host_unit, id),
  KEY station (station, id),
  KEY state (state, id),
  KEY category (category, id),
  KEY subsidy_year (subsidy_year, id),
  KEY submitted (submit_time, id),
  KEY state_submitted (state, submit_time, id),
  KEY category_submitted (category, submit_time, id),
  KEY amount (requested_amount_fen, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT UPDATE ON {schema}.applications TO {serve};

-- What each submission rested on, for good. registry_sequence: of registry's journal, when its facts were read.
CREATE TABLE submissions (
  application BINARY(16) NOT NULL,
  number INT NOT NULL,
  time BIGINT NOT NULL,
  registry_sequence BIGINT NOT NULL,
  sealed MEDIUMBLOB NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL,
  PRIMARY KEY (application, number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The one application of a lineage that is under way or was paid (article 5: once). Freed when it ends without payment.
CREATE TABLE live_lineages (
  lineage BINARY(32) NOT NULL PRIMARY KEY,
  application BINARY(16) NOT NULL,
  KEY application (application)
) ENGINE=InnoDB;
GRANT DELETE ON {schema}.live_lineages TO {serve};

-- Sealed scans: number and digest of the form that was sealed, an officer's word on it.
CREATE TABLE scans (
  application BINARY(16) NOT NULL,
  material BINARY(16) NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (application, material)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT UPDATE ON {schema}.scans TO {serve};
