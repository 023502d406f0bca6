-- What a slot is called; its row is made with its first use.
CREATE TABLE slot_names (
    slot {serial},
    name TEXT NOT NULL UNIQUE
){strict};

-- Who has booked what. The bookings that count are rows of `bookings`; this is what customers see of them.
CREATE TABLE reservations (
    id             TEXT PRIMARY KEY NOT NULL,
    kind           TEXT NOT NULL,
    tenant         TEXT,
    resource       TEXT NOT NULL,
    service        TEXT,
    date           TEXT NOT NULL,
    start_time     TEXT,
    end_time       TEXT,
    customer_name  TEXT NOT NULL,
    customer_email TEXT,
    customer_phone TEXT,
    price          TEXT,
    duration       BIGINT,
    status         TEXT NOT NULL,
    expires_at     BIGINT,
    request_key    TEXT,
    created_at     BIGINT NOT NULL
){strict};
CREATE INDEX reservations_of_request ON reservations (request_key) WHERE request_key IS NOT NULL;
CREATE INDEX reservations_that_expire ON reservations (expires_at)
    WHERE status = 'CONFIRMED' AND expires_at IS NOT NULL;

CREATE TABLE reservation_units (
    booking     BIGINT PRIMARY KEY NOT NULL,
    reservation TEXT NOT NULL,
    room        TEXT,
    night       TEXT
){strict};
CREATE INDEX units_of_reservation ON reservation_units (reservation);

CREATE TABLE room_inventory (
    room         TEXT NOT NULL,
    night        TEXT NOT NULL,
    total        BIGINT NOT NULL,
    booked_count BIGINT NOT NULL,
    PRIMARY KEY (room, night)
){strict};

CREATE TABLE idempotency_keys (
    scope      TEXT NOT NULL,
    key        TEXT NOT NULL,
    digest     TEXT NOT NULL,
    state      TEXT NOT NULL,
    status     BIGINT,
    body       TEXT,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (scope, key)
){strict};
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (updated_at);

CREATE TABLE reservation_log (
    id         {serial},
    at         BIGINT NOT NULL,
    event      TEXT NOT NULL,
    tenant     TEXT,
    resource   TEXT,
    date       TEXT,
    start_time TEXT
){strict};
CREATE INDEX reservation_log_by_time ON reservation_log (at);
