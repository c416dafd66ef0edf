-- What counts no more: a token, all tokens of an account below an epoch, or whatever a key signed. Each
-- until it would be over by itself.
ALTER TABLE revocations ALTER COLUMN seq DROP IDENTITY;
ALTER TABLE revocations ALTER COLUMN jti DROP NOT NULL;
ALTER TABLE revocations ADD COLUMN uid BIGINT UNIQUE;
ALTER TABLE revocations ADD COLUMN epoch BIGINT;
ALTER TABLE revocations ADD COLUMN kid TEXT COLLATE "C" UNIQUE;

-- The number of the newest of them. Whoever draws one holds this row until its story is committed, so that
-- nobody sees a number before all lower ones.
CREATE TABLE revocation_numbers (
    id   BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    last BIGINT NOT NULL
);
INSERT INTO revocation_numbers (id, last) SELECT 1, COALESCE(MAX(seq), 0) FROM revocations;

-- The team's other services, and what each may ask. Their secrets are drawn at random and long, so that a
-- plain digest tells nothing.
CREATE TABLE services (
    id            TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    secret_digest BYTEA  NOT NULL,
    former_digest BYTEA,
    former_until  BIGINT,
    may           TEXT   COLLATE "C" NOT NULL,
    created_at    BIGINT NOT NULL,
    rotated_at    BIGINT
);
