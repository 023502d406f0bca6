-- No foreign key on purpose: the lock that it takes on the slot's row would be a guard that no guard asked for.
CREATE TABLE slots (
    slot     INTEGER PRIMARY KEY,
    capacity INTEGER NOT NULL,
    version  INTEGER NOT NULL DEFAULT 0,
    fence    INTEGER NOT NULL DEFAULT 0 CHECK (fence >= 0)
) STRICT;

CREATE TABLE bookings (
    id            INTEGER PRIMARY KEY,
    slot          INTEGER NOT NULL,
    span_from     INTEGER NOT NULL,
    span_to       INTEGER NOT NULL CHECK (span_from < span_to),
    unit          INTEGER NOT NULL,
    holder        INTEGER NOT NULL,
    attempt       INTEGER NOT NULL,
    state         TEXT    NOT NULL,
    fencing_token INTEGER CHECK (fencing_token >= 0),
    created_at    TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;

-- The requests that a transaction has been committed for.
CREATE TABLE request_keys (
    request INTEGER PRIMARY KEY
) STRICT;

-- A row per lock. Those of leases that ended stay, so that tokens only rise.
CREATE TABLE leases (
    lock    TEXT PRIMARY KEY,
    owner   TEXT    NOT NULL,
    expires INTEGER NOT NULL,
    token   INTEGER NOT NULL
) STRICT;
