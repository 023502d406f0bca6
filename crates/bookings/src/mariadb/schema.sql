-- {schema} is the run's own. No foreign key on purpose: the lock that it takes on the slot's row would be a guard
-- that no guard asked for. MariaDB has no index over a part of a table; a column that is NULL where the booking is
-- not confirmed gives the same, since NULLs are never equal.
CREATE DATABASE {schema};

CREATE TABLE {schema}.slots (
    slot     BIGINT PRIMARY KEY,
    capacity BIGINT NOT NULL,
    version  BIGINT NOT NULL DEFAULT 0,
    fence    BIGINT NOT NULL DEFAULT 0 CHECK (fence >= 0)
) ENGINE = InnoDB;

CREATE TABLE {schema}.bookings (
    id             BIGINT AUTO_INCREMENT PRIMARY KEY,
    slot           BIGINT NOT NULL,
    span_from      BIGINT NOT NULL,
    span_to        BIGINT NOT NULL CHECK (span_from < span_to),
    unit           BIGINT NOT NULL,
    holder         BIGINT NOT NULL,
    attempt        BIGINT NOT NULL,
    state          VARCHAR(16) CHARACTER SET ascii NOT NULL,
    fencing_token  BIGINT CHECK (fencing_token >= 0),
    created_at     TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    confirmed_unit BIGINT AS (IF(state = 'confirmed', unit, NULL)) VIRTUAL
) ENGINE = InnoDB;

-- The requests that a transaction has been committed for.
CREATE TABLE {schema}.request_keys (
    request BIGINT PRIMARY KEY
) ENGINE = InnoDB;

-- Which connection is whose: a session has no name that others could see. An id comes again once a server was
-- restarted, and belongs to whoever wrote it last.
CREATE TABLE {schema}.sessions (
    connection BIGINT PRIMARY KEY,
    holder     BIGINT NOT NULL
) ENGINE = InnoDB;

-- A row per lock. Those of leases that ended stay, so that tokens only rise.
CREATE TABLE {schema}.leases (
    name    VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY,
    owner   VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    expires BIGINT NOT NULL,
    token   BIGINT NOT NULL
) ENGINE = InnoDB;
