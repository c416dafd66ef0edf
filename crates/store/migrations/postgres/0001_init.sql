CREATE TABLE users (
    uid               BIGINT NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY (START WITH 100001),
    phone             TEXT   COLLATE "C" UNIQUE,
    phone_verified_at BIGINT,
    email             TEXT   NOT NULL DEFAULT '',
    nickname          TEXT   NOT NULL DEFAULT '',
    avatar            TEXT   NOT NULL DEFAULT '',
    campus            TEXT   NOT NULL DEFAULT '',
    role              TEXT   COLLATE "C" NOT NULL DEFAULT 'user',
    epoch             BIGINT NOT NULL DEFAULT 0,
    disabled_at       BIGINT,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL
);

CREATE TABLE identities (
    id                   BYTEA  NOT NULL PRIMARY KEY,
    appid                TEXT   COLLATE "C" NOT NULL,
    openid               TEXT   COLLATE "C" NOT NULL,
    unionid              TEXT   COLLATE "C",
    user_id              BIGINT REFERENCES users (uid) ON DELETE CASCADE,
    release              TEXT   COLLATE "C",
    first_seen_at        BIGINT NOT NULL,
    last_seen_at         BIGINT NOT NULL,
    session_key_digest   BYTEA  NOT NULL,
    session_key          BYTEA  NOT NULL,
    previous_session_key BYTEA,
    UNIQUE (appid, openid)
) WITH (fillfactor = 80);

-- Partial, so that a guest costs neither.
CREATE INDEX identities_by_unionid ON identities (unionid, user_id)
    WHERE unionid IS NOT NULL AND user_id IS NOT NULL;
CREATE INDEX identities_by_user ON identities (user_id) WHERE user_id IS NOT NULL;

-- No index on the end: a code is claimed a hundred times as often as the few thousand rows of the last
-- minute are looked through.
CREATE TABLE spent_codes (
    digest      BYTEA  NOT NULL PRIMARY KEY,
    claim       BYTEA  NOT NULL,
    identity_id BYTEA,
    refusal     TEXT,
    claimed_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);

CREATE TABLE signing_keys (
    number      BIGINT NOT NULL PRIMARY KEY,
    kid         TEXT   COLLATE "C" NOT NULL UNIQUE,
    algorithm   TEXT   COLLATE "C" NOT NULL,
    public_jwk  TEXT   NOT NULL,
    private_key BYTEA  NOT NULL,
    created_at  BIGINT NOT NULL,
    signs_from  BIGINT NOT NULL,
    removed_at  BIGINT
);

CREATE TABLE audit (
    seq     BIGINT NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    at      BIGINT NOT NULL,
    event   TEXT   COLLATE "C" NOT NULL,
    actor   TEXT   COLLATE "C" NOT NULL,
    subject TEXT   COLLATE "C" NOT NULL,
    detail  TEXT   NOT NULL
);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END
$$;
CREATE TRIGGER audit_keeps_what_it_says BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_keeps_what_it_has BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
