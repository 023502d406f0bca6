//! The service's own tables, beside those of slots and bookings, and how they came to be.
//!
//! One text for both engines: numbers are BIGINT, everything else TEXT, instants milliseconds since the Unix epoch.

/// What brings the tables of one release to those of the next, in order. Never changed once released.
pub(super) const MIGRATIONS: &[&str] = &[include_str!("tables/1.sql")];

/// Where it is noted how far the tables have come. Of two services that start at once on a server, one waits for the other;
/// on a file, writers take turns anyway.
pub(super) fn versions(engine: &str) -> String {
    let turn = if engine == "postgres" { "SELECT pg_advisory_xact_lock(7310868735);" } else { "" };
    let table = "CREATE TABLE IF NOT EXISTS service_versions (version BIGINT PRIMARY KEY){strict};";
    [turn, &for_engine(table, engine)].concat()
}

pub(super) fn for_engine(statements: &str, engine: &str) -> String {
    let (serial, strict, bigint) = match engine {
        "postgres" => ("BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "", "BIGINT"),
        _ => ("INTEGER PRIMARY KEY", " STRICT", "INTEGER"),
    };
    statements.replace("{serial}", serial).replace("{strict}", strict).replace("BIGINT", bigint)
}

pub(super) const VERSION: &str = "SELECT max(version) FROM service_versions";
pub(super) const NOTE_VERSION: &str = "INSERT INTO service_versions (version) VALUES ($1)";

pub(super) const UNIQUE: &str = "CREATE UNIQUE INDEX IF NOT EXISTS bookings_unique_unit
     ON bookings (slot, span_from, span_to, unit) WHERE state = 'confirmed';";
pub(super) const NOT_UNIQUE: &str = "DROP INDEX IF EXISTS bookings_unique_unit;";
pub(super) const RESET_FENCES: &str = "UPDATE slots SET fence = 0 WHERE fence > 0;";

pub(super) const FIND_SLOT: &str =
    "SELECT n.slot FROM slot_names n JOIN slots s ON s.slot = n.slot WHERE n.name = $1";
pub(super) const NAME_SLOT: &str =
    "INSERT INTO slot_names (name) VALUES ($1) ON CONFLICT (name) DO NOTHING";
pub(super) const MAKE_SLOT: &str = "INSERT INTO slots (slot, capacity)
     SELECT slot, $2 FROM slot_names WHERE name = $1 ON CONFLICT (slot) DO NOTHING";

pub(super) const MAKE_NIGHT: &str = "INSERT INTO room_inventory (room, night, total, booked_count)
     VALUES ($1, $2, $3, 0) ON CONFLICT (room, night) DO NOTHING";
pub(super) const BOOK_NIGHT: &str =
    "UPDATE room_inventory SET booked_count = booked_count + 1 WHERE room = $1 AND night = $2";
pub(super) const FREE_NIGHTS: &str = "UPDATE room_inventory SET booked_count = booked_count - 1
     WHERE EXISTS (SELECT 1 FROM reservation_units u WHERE u.reservation = $1
                   AND u.room = room_inventory.room AND u.night = room_inventory.night)";

pub(super) const INSERT_RESERVATION: &str = "INSERT INTO reservations
     (id, kind, tenant, resource, service, date, start_time, end_time, customer_name, customer_email,
      customer_phone, price, duration, status, expires_at, request_key, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'CONFIRMED', $14, $15, $16)";
pub(super) const INSERT_UNIT: &str =
    "INSERT INTO reservation_units (reservation, booking, room, night) VALUES ($1, $2, $3, $4)";

pub(super) const FIND: &str =
    "SELECT id, kind, tenant, resource, service, date, start_time, end_time,
     customer_name, customer_email, customer_phone, price, duration, status, expires_at
     FROM reservations WHERE id = $1";
pub(super) const FIND_BY_REQUEST: &str =
    "SELECT id, kind, tenant, resource, service, date, start_time,
     end_time, customer_name, customer_email, customer_phone, price, duration, status, expires_at
     FROM reservations WHERE request_key = $1 AND status = 'CONFIRMED'";
pub(super) const END: &str =
    "UPDATE reservations SET status = $2 WHERE id = $1 AND status = 'CONFIRMED'";
pub(super) const END_UNITS: &str = "UPDATE bookings SET state = $2 WHERE state = 'confirmed'
     AND id IN (SELECT booking FROM reservation_units WHERE reservation = $1)";
pub(super) const EXPIRED: &str = "SELECT id FROM reservations
     WHERE status = 'CONFIRMED' AND expires_at <= $1 ORDER BY expires_at LIMIT 100";
