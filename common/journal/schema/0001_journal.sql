-- The journal of a service, the first migration of each. The serving account may insert and read; it can change
-- neither a row of the journal nor one of the chain.

-- One row for each transaction that changed something. leaf = H(H(public_part), private_digest); wrapped_key stands
-- outside of every hash, so that a new master key wraps it anew (by the migrating account).
CREATE TABLE journal (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  request_key BINARY(32) NOT NULL,
  public_part MEDIUMBLOB NOT NULL,
  private_part MEDIUMBLOB NOT NULL,
  private_digest BINARY(32) NOT NULL,
  leaf BINARY(32) NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL,
  UNIQUE KEY request_key (request_key)
) ENGINE = InnoDB;

-- The order. The last row of each batch carries the signature of its hash.
CREATE TABLE journal_chain (
  seq BIGINT NOT NULL PRIMARY KEY,
  journal_id BIGINT NOT NULL,
  hash BINARY(32) NOT NULL,
  signature BINARY(64),
  key_id CHAR(16),
  UNIQUE KEY journal_id (journal_id)
) ENGINE = InnoDB;

-- One row: the end of the chain, and which sequencer is at work (until when, database clock).
CREATE TABLE journal_head (
  id INT NOT NULL PRIMARY KEY,
  seq BIGINT NOT NULL,
  hash BINARY(32) NOT NULL,
  signature BINARY(64),
  key_id CHAR(16),
  lease_holder VARCHAR(64) NOT NULL,
  lease_until_ms BIGINT NOT NULL
) ENGINE = InnoDB;

INSERT INTO journal_head (id, seq, hash, lease_holder, lease_until_ms) VALUES (1, 0, REPEAT(CHAR(0), 32), '', 0);

-- How far this service has followed the journals of others: the last entry's place and hash (a witness against its
-- owner), who follows, and where it stopped. state: FollowerState of yuezhan.journal.v1.
CREATE TABLE journal_cursor (
  source VARCHAR(64) NOT NULL PRIMARY KEY,
  seq BIGINT NOT NULL,
  hash BINARY(32) NOT NULL,
  state INT NOT NULL,
  stopped_seq BIGINT NOT NULL,
  stopped_hash BINARY(32) NOT NULL,
  reason VARCHAR(1000) NOT NULL,
  lease_holder VARCHAR(64) NOT NULL,
  lease_until_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL
) ENGINE = InnoDB;

GRANT UPDATE ON {schema}.journal_head TO {serve};
GRANT UPDATE ON {schema}.journal_cursor TO {serve};
