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
  returned BIGINT NOT NULL,
  recovered BIGINT NOT NULL,
  created BIGINT NOT NULL,
  UNIQUE KEY year_source (year, source)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT UPDATE ON {schema}.funds TO {serve};

-- What was allocated, adjusted and carried over, with who and why. Never changed. kind: FundChangeKind.
CREATE TABLE fund_changes (
  id BINARY(16) NOT NULL PRIMARY KEY,
  fund BINARY(16) NOT NULL,
  kind TINYINT NOT NULL,
  amount BIGINT NOT NULL,
  other_fund BINARY(16) NULL,
  day INT NOT NULL,
  officer VARCHAR(200) NOT NULL,
  reason VARCHAR(500) NOT NULL,
  entry BINARY(32) NOT NULL,
  KEY fund (fund, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

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
-- one for each station, so that a station is paid once. decided_on: day of SETTLED or FAILED. payee: search key of the
-- account (Store::AccountKey). recovery_open: a recovery is ordered, and not all is back. on_statement: a line of a
-- statement shows the current transfer, or an officer explained why none does.
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
  payee BINARY(32) NOT NULL,
  line_digest BINARY(32) NOT NULL,
  prepared_by VARCHAR(200) NOT NULL,
  authorized_by VARCHAR(200) NOT NULL,
  settled_on INT NULL,
  receipt_on INT NULL,
  incident TINYINT NOT NULL,
  recovery_open TINYINT NOT NULL,
  on_statement TINYINT NOT NULL,
  version BIGINT NOT NULL,
  sealed MEDIUMBLOB NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL,
  UNIQUE KEY live_case (live_case),
  UNIQUE KEY live_station (live_station),
  KEY state (state, id),
  KEY host_unit (host_unit, id),
  KEY decided (decided_on, id),
  KEY payee (payee, amount),
  KEY incident (incident, id),
  KEY recovery (recovery_open, id),
  KEY receipt (state, receipt_on, settled_on)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT UPDATE ON {schema}.payments TO {serve};

-- Every account that a payment may go to, by whom it was decided. Never changed. source: 1 the submission's, 2 the
-- registry's of that day by an officer's decision, 3 corrected by an officer's decision.
CREATE TABLE account_decisions (
  payment BINARY(16) NOT NULL,
  account BINARY(32) NOT NULL,
  entry BINARY(32) NOT NULL,
  source TINYINT NOT NULL,
  officer VARCHAR(200) NOT NULL,
  day INT NOT NULL,
  PRIMARY KEY (payment, account, entry)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Every transfer that was instructed, with the time after which the bank may not execute it; stored before it is sent,
-- never changed. adopted: not sent by us as far as we know, but found in the bank's statement after a restore.
CREATE TABLE transfers (
  id BINARY(32) NOT NULL PRIMARY KEY,
  payment BINARY(16) NOT NULL,
  attempt INT NOT NULL,
  amount BIGINT NOT NULL,
  account BINARY(32) NOT NULL,
  line_digest BINARY(32) NOT NULL,
  authorized_by VARCHAR(200) NOT NULL,
  day INT NOT NULL,
  not_after BIGINT NOT NULL,
  adopted TINYINT NOT NULL,
  entry BINARY(32) NOT NULL,
  UNIQUE KEY attempt (payment, attempt),
  KEY account (account, amount)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Imported statements of the bank.
CREATE TABLE statements (
  id BINARY(16) NOT NULL PRIMARY KEY,
  digest BINARY(32) NOT NULL,
  from_day INT NOT NULL,
  to_day INT NOT NULL,
  total INT NOT NULL,
  fresh INT NOT NULL,
  matched INT NOT NULL,
  imported_by VARCHAR(200) NOT NULL,
  imported BIGINT NOT NULL,
  entry BINARY(32) NOT NULL,
  KEY days (from_day, to_day)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Their lines, each once however often it is imported (content_key). transfer: the id on the line, or that of the payment
-- that it was confirmed to be. entered: what the line says stands in its payment too. state: LineState.
CREATE TABLE statement_lines (
  id BINARY(16) NOT NULL PRIMARY KEY,
  statement BINARY(16) NOT NULL,
  number INT NOT NULL,
  content_key BINARY(32) NOT NULL,
  state TINYINT NOT NULL,
  outgoing TINYINT NOT NULL,
  amount BIGINT NOT NULL,
  day INT NOT NULL,
  transfer BINARY(32) NULL,
  payment BINARY(16) NULL,
  entered TINYINT NOT NULL,
  version BIGINT NOT NULL,
  sealed MEDIUMBLOB NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL,
  UNIQUE KEY content_key (content_key),
  KEY state (state, entered, statement, number),
  KEY transfer (transfer, outgoing)
) ENGINE=InnoDB;
GRANT UPDATE ON {schema}.statement_lines TO {serve};

-- Holds after a restore: by the digest of the file that began it (--hold). since_day: of the last journal entry that was
-- there. ended: when an officer ended it.
CREATE TABLE holds (
  id BINARY(32) NOT NULL PRIMARY KEY,
  since_day INT NOT NULL,
  begun BIGINT NOT NULL,
  ended BIGINT NULL
) ENGINE=InnoDB;
GRANT UPDATE ON {schema}.holds TO {serve};
