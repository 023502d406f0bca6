-- {schema} is the run's own. No foreign key on purpose: the lock that it takes on the slot's row would be a guard
-- that no guard asked for.
CREATE SCHEMA {schema};

CREATE TABLE {schema}.slots (
    slot     BIGINT PRIMARY KEY,
    capacity BIGINT NOT NULL,
    version  BIGINT NOT NULL DEFAULT 0,
    fence    BIGINT NOT NULL DEFAULT 0 CHECK (fence >= 0)
);

CREATE TABLE {schema}.bookings (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slot          BIGINT NOT NULL,
    span_from     BIGINT NOT NULL,
    span_to       BIGINT NOT NULL CHECK (span_from < span_to),
    unit          BIGINT NOT NULL,
    holder        BIGINT NOT NULL,
    attempt       BIGINT NOT NULL,
    state         TEXT   NOT NULL,
    fencing_token BIGINT CHECK (fencing_token >= 0),
    created_at    TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- The requests that a transaction has been committed for.
CREATE TABLE {schema}.request_keys (
    request BIGINT PRIMARY KEY
);

-- A row per lock. Those of leases that ended stay, so that tokens only rise.
CREATE TABLE {schema}.leases (
    lock    TEXT   PRIMARY KEY,
    owner   TEXT   NOT NULL,
    expires BIGINT NOT NULL,
    token   BIGINT NOT NULL
);
