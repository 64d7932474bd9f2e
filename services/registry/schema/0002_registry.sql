-- Host units and stations. The message of each is sealed (telephones, accounts); what is searched or counted stands in
-- columns beside it. Times are unix milliseconds, days are days since 1970-01-01.
CREATE TABLE host_units (
  id BINARY(16) NOT NULL PRIMARY KEY,
  identity BINARY(32) NOT NULL,
  version BIGINT NOT NULL,
  sealed MEDIUMBLOB NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL,
  UNIQUE KEY identity (identity)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT UPDATE ON {schema}.host_units TO {serve};

-- lineage: the same society at the same host, however the station is called: subsidized once (article 5).
CREATE TABLE stations (
  id BINARY(16) NOT NULL PRIMARY KEY,
  host_unit BINARY(16) NOT NULL,
  lineage BINARY(32) NOT NULL,
  state TINYINT NOT NULL,
  level TINYINT NOT NULL,
  filing_number VARCHAR(40) NULL,
  version BIGINT NOT NULL,
  sealed MEDIUMBLOB NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL,
  UNIQUE KEY filing_number (filing_number),
  KEY host_unit (host_unit, state, id),
  KEY state (state, id),
  KEY lineage (lineage)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT UPDATE ON {schema}.stations TO {serve};

-- The last filing number given, per year and level: gapless, so it is counted in the transaction that gives it.
CREATE TABLE filing_numbers (
  year SMALLINT NOT NULL,
  level TINYINT NOT NULL,
  last INT NOT NULL,
  PRIMARY KEY (year, level)
) ENGINE=InnoDB;
GRANT UPDATE ON {schema}.filing_numbers TO {serve};

CREATE TABLE activities (
  station BINARY(16) NOT NULL,
  id BINARY(16) NOT NULL,
  kind TINYINT NOT NULL,
  day INT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (station, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Subsidies paid, by lineage; entered from payment's journal. A payment counts once.
CREATE TABLE subsidies (
  payment BINARY(16) NOT NULL PRIMARY KEY,
  lineage BINARY(32) NOT NULL,
  station BINARY(16) NOT NULL,
  level TINYINT NOT NULL,
  source VARCHAR(120) NOT NULL,
  paid_on INT NOT NULL,
  KEY lineage (lineage)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
