-- What counts no more: a token, all tokens of an account below an epoch, or whatever a key signed. Each
-- until it would be over by itself.
CREATE TABLE revocations_new (
    seq   INTEGER NOT NULL PRIMARY KEY,
    jti   TEXT    UNIQUE,
    until INTEGER NOT NULL,
    uid   INTEGER UNIQUE,
    epoch INTEGER,
    kid   TEXT    UNIQUE
) STRICT;
INSERT INTO revocations_new (seq, jti, until) SELECT seq, jti, until FROM revocations;
DROP TABLE revocations;
ALTER TABLE revocations_new RENAME TO revocations;
CREATE INDEX revocations_by_end ON revocations (until);

-- The number of the newest of them. Whoever draws one holds this row until its story is committed, so that
-- nobody sees a number before all lower ones.
CREATE TABLE revocation_numbers (
    id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    last INTEGER NOT NULL
) STRICT;
INSERT INTO revocation_numbers (id, last) SELECT 1, COALESCE(MAX(seq), 0) FROM revocations;

-- The team's other services, and what each may ask. Their secrets are drawn at random and long, so that a
-- plain digest tells nothing.
CREATE TABLE services (
    id            TEXT    NOT NULL PRIMARY KEY,
    secret_digest BLOB    NOT NULL,
    former_digest BLOB,
    former_until  INTEGER,
    may           TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    rotated_at    INTEGER
) STRICT;
