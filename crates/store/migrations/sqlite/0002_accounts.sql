ALTER TABLE users ADD COLUMN profile TEXT NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN consent_version TEXT;
ALTER TABLE users ADD COLUMN consent_at INTEGER;

-- A picture that nobody shows any more is erased. Most accounts have none.
CREATE INDEX users_by_avatar ON users (avatar) WHERE avatar <> '';

-- One for each purpose and number: asking anew kills the former. It goes when it is spent. Numbers and
-- addresses are keyed digests; where the request that spends does not repeat it, it is there too, sealed.
CREATE TABLE verifications (
    id             BLOB NOT NULL PRIMARY KEY,
    purpose        TEXT    NOT NULL,
    contact_digest BLOB NOT NULL,
    contact        BLOB,
    asker          TEXT    NOT NULL,
    code_digest    BLOB NOT NULL,
    consent        TEXT,
    tries          INTEGER NOT NULL DEFAULT 0,
    expires_at     INTEGER NOT NULL,
    UNIQUE (contact_digest, purpose)
) STRICT;
CREATE INDEX verifications_by_asker ON verifications (asker, purpose);
CREATE INDEX verifications_by_expiry ON verifications (expires_at);

-- Every message that went out or is going out, and every question that counts as one. The limits are
-- counted here.
CREATE TABLE sends (
    id             BLOB NOT NULL PRIMARY KEY,
    channel        TEXT    NOT NULL,
    purpose        TEXT    NOT NULL,
    contact_digest BLOB NOT NULL,
    asker          TEXT    NOT NULL,
    address        TEXT    NOT NULL,
    at             INTEGER NOT NULL,
    provider_id    TEXT,
    cost           INTEGER
) STRICT;
CREATE INDEX sends_by_contact ON sends (contact_digest, channel, at);
CREATE INDEX sends_by_asker ON sends (asker, at);
CREATE INDEX sends_by_address ON sends (address, at);
CREATE INDEX sends_by_time ON sends (at);

-- Wrong tries, and tries of which it is not known yet. They outlive the code.
CREATE TABLE guesses (
    id             BLOB NOT NULL PRIMARY KEY,
    contact_digest BLOB NOT NULL,
    at             INTEGER NOT NULL
) STRICT;
CREATE INDEX guesses_by_contact ON guesses (contact_digest, at);
CREATE INDEX guesses_by_time ON guesses (at);

-- A story that counts before it writes takes the turn of what it counts first, so that no other counts
-- meanwhile.
CREATE TABLE turns (
    name     BLOB NOT NULL PRIMARY KEY,
    taken_at INTEGER NOT NULL
) STRICT;
CREATE INDEX turns_by_time ON turns (taken_at);

-- What must follow a story and is done outside of it: a notice to send, a picture to erase. Sealed.
CREATE TABLE errands (
    id         BLOB NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL,
    content    BLOB NOT NULL,
    due_at     INTEGER NOT NULL,
    tries      INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX errands_by_due ON errands (due_at);

-- Tokens that were revoked one by one, until they are over by themselves.
CREATE TABLE revocations (
    seq   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    jti   TEXT    NOT NULL UNIQUE,
    until INTEGER NOT NULL
) STRICT;
CREATE INDEX revocations_by_end ON revocations (until);

-- Whoever asks for all that is stored of them gets what was done to their account, too.
CREATE INDEX audit_by_subject ON audit (subject, seq);
