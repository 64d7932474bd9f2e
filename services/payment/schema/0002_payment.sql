-- Funds, ledger, awards, payments. Messages of awards and payments are sealed (accounts); what is searched, counted or
-- audited stands in columns beside them. Amounts are fen, times unix milliseconds, days are days since 1970-01-01.

-- A fund with its running balances: what a reservation is taken from by one conditional UPDATE. They repeat what the
-- postings say, which alone count.
CREATE TABLE funds (
  id BINARY(16) NOT NULL PRIMARY KEY,
  year SMALLINT NOT NULL,
  source VARCHAR(100) NOT NULL,
  allocated BIGINT NOT NULL,
  free BIGINT NOT NULL,
  reserved BIGINT NOT NULL,
  in_transit BIGINT NOT NULL,
  paid BIGINT NOT NULL,
  created BIGINT NOT NULL,
  UNIQUE KEY year_source (year, source)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT UPDATE ON {schema}.funds TO {serve};

-- The ledger: two rows for each double entry, of one fund, that sum to zero. Never changed. entry: request_key of the
-- journal row of the same transaction. account and movement: services/payment/ledger.h.
CREATE TABLE postings (
  id BINARY(16) NOT NULL,
  side TINYINT NOT NULL,
  fund BINARY(16) NOT NULL,
  account TINYINT NOT NULL,
  movement TINYINT NOT NULL,
  amount BIGINT NOT NULL,
  day INT NOT NULL,
  award BINARY(16) NULL,
  payment BINARY(16) NULL,
  entry BINARY(32) NOT NULL,
  PRIMARY KEY (id, side)
) ENGINE=InnoDB;

-- Awards of review's cases, by the case's id. resolved_seq: place of the resolution in review's journal, the order in
-- which they wait for money. fund: where the amount is reserved or was paid from; null while it waits or is released.
CREATE TABLE awards (
  id BINARY(16) NOT NULL PRIMARY KEY,
  host_unit BINARY(16) NOT NULL,
  state TINYINT NOT NULL,
  subsidy_year SMALLINT NOT NULL,
  amount BIGINT NOT NULL,
  fund BINARY(16) NULL,
  resolved_seq BIGINT NOT NULL,
  version BIGINT NOT NULL,
  sealed MEDIUMBLOB NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL,
  KEY waiting (state, subsidy_year, resolved_seq, id),
  KEY state (state, resolved_seq, id),
  KEY host_unit (host_unit, resolved_seq, id),
  KEY place (resolved_seq, id)
) ENGINE=InnoDB;
GRANT UPDATE ON {schema}.awards TO {serve};

-- Payment orders. live_case and live_station are null in a stopped one: of the others there is one for each case and
-- one for each station, so that a station is paid once. decided_on: day of SETTLED or FAILED.
CREATE TABLE payments (
  id BINARY(16) NOT NULL PRIMARY KEY,
  award BINARY(16) NOT NULL,
  station BINARY(16) NOT NULL,
  host_unit BINARY(16) NOT NULL,
  fund BINARY(16) NOT NULL,
  live_case BINARY(16) NULL,
  live_station BINARY(16) NULL,
  state TINYINT NOT NULL,
  amount BIGINT NOT NULL,
  transfer BINARY(32) NULL,
  decided_on INT NULL,
  version BIGINT NOT NULL,
  sealed MEDIUMBLOB NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL,
  UNIQUE KEY live_case (live_case),
  UNIQUE KEY live_station (live_station),
  KEY state (state, id),
  KEY host_unit (host_unit, id),
  KEY decided (decided_on, id)
) ENGINE=InnoDB;
GRANT UPDATE ON {schema}.payments TO {serve};

-- Every transfer that was instructed, with the time after which the bank may not execute it; stored before it is sent,
-- never changed.
CREATE TABLE transfers (
  id BINARY(32) NOT NULL PRIMARY KEY,
  payment BINARY(16) NOT NULL,
  attempt INT NOT NULL,
  amount BIGINT NOT NULL,
  not_after BIGINT NOT NULL,
  entry BINARY(32) NOT NULL,
  UNIQUE KEY attempt (payment, attempt)
) ENGINE=InnoDB;
