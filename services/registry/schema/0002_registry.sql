-- Host units and stations. The message of each is sealed (telephones, accounts); what is searched or counted stands in
-- columns beside it. Times are unix milliseconds, days are days since 1970-01-01. Names in columns are spelled one way:
-- without blanks, in half-width forms.
CREATE TABLE host_units (
  id BINARY(16) NOT NULL PRIMARY KEY,
  identity BINARY(32) NOT NULL,
  name VARCHAR(200) NOT NULL,
  credit_code VARCHAR(18) NOT NULL,
  kind TINYINT NOT NULL,
  county VARCHAR(50) NOT NULL,
  debarred_until INT NOT NULL,
  version BIGINT NOT NULL,
  sealed MEDIUMBLOB NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL,
  UNIQUE KEY identity (identity),
  KEY name (name, id),
  KEY credit_code (credit_code, id),
  KEY kind (kind, id),
  KEY county (county, id),
  KEY debarred (debarred_until, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT UPDATE ON {schema}.host_units TO {serve};

-- Decisions on accounts; version is that of the host unit that each made.
CREATE TABLE account_changes (
  host_unit BINARY(16) NOT NULL,
  version BIGINT NOT NULL,
  sealed MEDIUMBLOB NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL,
  PRIMARY KEY (host_unit, version)
) ENGINE=InnoDB;

-- The lineage that a society at a host unit belongs to (key_digest is of both names, spelled one way). A society that is
-- renamed leads to the lineage it had. A row is locked while a station of the lineage is filed or subsidized.
CREATE TABLE lineages (
  key_digest BINARY(32) NOT NULL PRIMARY KEY,
  lineage BINARY(32) NOT NULL,
  KEY lineage (lineage)
) ENGINE=InnoDB;
GRANT UPDATE ON {schema}.lineages TO {serve};

-- lineage: the same society at the same host, however the station is called: subsidized once (article 5). identity: the
-- same name at the same host. county and host_kind are the host unit's, subsidized is the lineage's. Each index but the
-- first four serves one combination of filters and order (mysql_search.cc).
CREATE TABLE stations (
  id BINARY(16) NOT NULL PRIMARY KEY,
  host_unit BINARY(16) NOT NULL,
  lineage BINARY(32) NOT NULL,
  identity BINARY(32) NOT NULL,
  state TINYINT NOT NULL,
  level TINYINT NOT NULL,
  county VARCHAR(50) NOT NULL,
  host_kind TINYINT NOT NULL,
  society VARCHAR(200) NOT NULL,
  name VARCHAR(200) NOT NULL,
  established INT NOT NULL,
  subsidized TINYINT NOT NULL,
  filing_number VARCHAR(40) NULL,
  version BIGINT NOT NULL,
  sealed MEDIUMBLOB NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL,
  UNIQUE KEY filing_number (filing_number),
  KEY lineage (lineage),
  KEY identity (identity),
  KEY host_unit (host_unit, id),
  KEY state (state, id),
  KEY level (level, id),
  KEY county (county, id),
  KEY host_kind (host_kind, id),
  KEY society (society, id),
  KEY subsidized (subsidized, id),
  KEY level_state (level, state, id),
  KEY county_state (county, state, id),
  KEY county_level (county, level, id),
  KEY level_subsidized (level, subsidized, id),
  KEY established (established, id),
  KEY level_established (level, established, id),
  KEY state_established (state, established, id),
  KEY name (name, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT UPDATE ON {schema}.stations TO {serve};

-- The industry chains of a station.
CREATE TABLE station_chains (
  station BINARY(16) NOT NULL,
  chain VARCHAR(60) NOT NULL,
  level TINYINT NOT NULL,
  PRIMARY KEY (station, chain),
  KEY chain (chain, station),
  KEY chain_level (chain, level, station)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT DELETE ON {schema}.station_chains TO {serve};

-- Every change of a station; version is the one it made. Former forms are sealed with it.
CREATE TABLE station_changes (
  station BINARY(16) NOT NULL,
  version BIGINT NOT NULL,
  sealed MEDIUMBLOB NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL,
  PRIMARY KEY (station, version)
) ENGINE=InnoDB;

-- The last filing number given, per year and level: gapless, so it is counted in the transaction that gives it.
CREATE TABLE filing_numbers (
  year SMALLINT NOT NULL,
  level TINYINT NOT NULL,
  last INT NOT NULL,
  PRIMARY KEY (year, level)
) ENGINE=InnoDB;
GRANT UPDATE ON {schema}.filing_numbers TO {serve};

-- Activities as corrected last; all versions stand in activity_versions.
CREATE TABLE activities (
  station BINARY(16) NOT NULL,
  id BINARY(16) NOT NULL,
  kind TINYINT NOT NULL,
  day INT NOT NULL,
  year SMALLINT NOT NULL,
  participants INT NOT NULL,
  version INT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (station, id),
  KEY sums (year, kind, participants)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT UPDATE ON {schema}.activities TO {serve};

CREATE TABLE activity_versions (
  station BINARY(16) NOT NULL,
  id BINARY(16) NOT NULL,
  version INT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (station, id, version)
) ENGINE=InnoDB;

-- Subsidies paid, by lineage; entered from payment's journal, or imported. A payment counts once, and no more when the
-- bank sent it back.
CREATE TABLE subsidies (
  payment BINARY(16) NOT NULL PRIMARY KEY,
  lineage BINARY(32) NOT NULL,
  station BINARY(16) NOT NULL,
  level TINYINT NOT NULL,
  source VARCHAR(120) NOT NULL,
  paid_on INT NOT NULL,
  KEY lineage (lineage)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT DELETE ON {schema}.subsidies TO {serve};

-- Evaluations. in_force is NULL for a superseded one, so that a station and year has one that is not.
CREATE TABLE evaluations (
  id BINARY(16) NOT NULL PRIMARY KEY,
  station BINARY(16) NOT NULL,
  host_unit BINARY(16) NOT NULL,
  year SMALLINT NOT NULL,
  state TINYINT NOT NULL,
  grade VARCHAR(60) NOT NULL,
  in_force TINYINT NULL,
  review_until INT NULL,
  version BIGINT NOT NULL,
  body BLOB NOT NULL,
  UNIQUE KEY station_year (station, year, in_force),
  KEY station (station, id),
  KEY host_unit (host_unit, id),
  KEY state (state, id),
  KEY year_grade (year, grade, id),
  KEY year (year, id),
  KEY ends (state, review_until)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT UPDATE ON {schema}.evaluations TO {serve};

-- Debarments. identity: what makes an imported one the same.
CREATE TABLE debarments (
  id BINARY(16) NOT NULL PRIMARY KEY,
  host_unit BINARY(16) NOT NULL,
  identity BINARY(32) NOT NULL,
  from_day INT NOT NULL,
  until_day INT NULL,
  lifted_day INT NULL,
  body BLOB NOT NULL,
  UNIQUE KEY identity (identity),
  KEY host_unit (host_unit, id)
) ENGINE=InnoDB;
GRANT UPDATE ON {schema}.debarments TO {serve};

-- Reports on the use of the money, one for each payment. awaited: the host has still to hand it in.
CREATE TABLE use_reports (
  id BINARY(16) NOT NULL PRIMARY KEY,
  payment BINARY(16) NOT NULL,
  station BINARY(16) NOT NULL,
  host_unit BINARY(16) NOT NULL,
  state TINYINT NOT NULL,
  awaited TINYINT NOT NULL,
  due INT NOT NULL,
  version BIGINT NOT NULL,
  body BLOB NOT NULL,
  UNIQUE KEY payment (payment),
  KEY due (due, id),
  KEY station (station, due, id),
  KEY host_unit (host_unit, due, id),
  KEY state (state, due, id),
  KEY awaited (awaited, due, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT UPDATE, DELETE ON {schema}.use_reports TO {serve};
