-- Files in chunks: materials, evidence. owner is the resource that a file belongs to; state: 1 uploading, 2 current,
-- 3 replaced. An upload is invisible until it is finished and has an end (unix milliseconds); a replaced file stays
-- where a decision relied on it (kept), else it is removed with the replacement.
CREATE TABLE files (
  id BINARY(16) NOT NULL PRIMARY KEY,
  owner BINARY(16) NOT NULL,
  code VARCHAR(60) NOT NULL,
  state TINYINT NOT NULL,
  kept TINYINT NOT NULL,
  file_name VARCHAR(200) NOT NULL,
  media_type VARCHAR(60) NOT NULL,
  size_bytes BIGINT NOT NULL,
  written_bytes BIGINT NOT NULL,
  sha256 BINARY(32) NULL,
  time BIGINT NOT NULL,
  expire_time BIGINT NULL,
  KEY owner (owner, state, code, id),
  KEY expiry (state, expire_time)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT UPDATE, DELETE ON {schema}.files TO {serve};

-- Sealed: scans show telephones, accounts and signatures.
CREATE TABLE file_chunks (
  file BINARY(16) NOT NULL,
  starts_at BIGINT NOT NULL,
  sealed MEDIUMBLOB NOT NULL,
  wrapped_key VARBINARY(128) NOT NULL,
  PRIMARY KEY (file, starts_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
GRANT DELETE ON {schema}.file_chunks TO {serve};
