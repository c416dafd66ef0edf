CREATE TABLE users (
    uid               INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    phone             TEXT    UNIQUE,
    phone_verified_at INTEGER,
    email             TEXT    NOT NULL DEFAULT '',
    nickname          TEXT    NOT NULL DEFAULT '',
    avatar            TEXT    NOT NULL DEFAULT '',
    campus            TEXT    NOT NULL DEFAULT '',
    role              TEXT    NOT NULL DEFAULT 'user',
    epoch             INTEGER NOT NULL DEFAULT 0,
    disabled_at       INTEGER,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL
) STRICT;

-- The first uid is 100001. AUTOINCREMENT never gives a number again, even after the newest row is deleted.
INSERT INTO sqlite_sequence (name, seq) VALUES ('users', 100000);

-- Not WITHOUT ROWID: rows arrive in random order of both keys, and a table in order of arrival
-- leaves only two small B-trees to be written at random places.
CREATE TABLE identities (
    id                   BLOB    NOT NULL PRIMARY KEY,
    appid                TEXT    NOT NULL,
    openid               TEXT    NOT NULL,
    unionid              TEXT,
    user_id              INTEGER REFERENCES users (uid) ON DELETE CASCADE,
    release              TEXT,
    first_seen_at        INTEGER NOT NULL,
    last_seen_at         INTEGER NOT NULL,
    session_key_digest   BLOB    NOT NULL,
    session_key          BLOB    NOT NULL,
    previous_session_key BLOB,
    UNIQUE (appid, openid)
) STRICT;

-- Partial, so that a guest costs neither.
CREATE INDEX identities_by_unionid ON identities (unionid, user_id)
    WHERE unionid IS NOT NULL AND user_id IS NOT NULL;
CREATE INDEX identities_by_user ON identities (user_id) WHERE user_id IS NOT NULL;

-- No index on the end: a code is claimed a hundred times as often as the few thousand rows of the last
-- minute are looked through.
CREATE TABLE spent_codes (
    digest      BLOB    NOT NULL PRIMARY KEY,
    claim       BLOB    NOT NULL,
    identity_id BLOB,
    refusal     TEXT,
    claimed_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE signing_keys (
    number      INTEGER NOT NULL PRIMARY KEY,
    kid         TEXT    NOT NULL UNIQUE,
    algorithm   TEXT    NOT NULL,
    public_jwk  TEXT    NOT NULL,
    private_key BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    signs_from  INTEGER NOT NULL,
    removed_at  INTEGER
) STRICT;

CREATE TABLE audit (
    seq     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    event   TEXT    NOT NULL,
    actor   TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    detail  TEXT    NOT NULL
) STRICT;
CREATE TRIGGER audit_keeps_what_it_says BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_keeps_what_it_has BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
