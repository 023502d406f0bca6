//! The SQL, each statement as a function on a connection of the thread.

use lockproof_model::{
    AttemptId, BookingId, BookingRow, BookingTable, FencingToken, HolderId, SlotId, SlotRow, Span,
};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};

use crate::{Bumped, InsertedRow, Layout, NewBooking, Raised, Reserved, SlotState};

pub(super) fn use_wal(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
}

/// In WAL mode a power cut may lose the last commits but corrupts nothing; a killed process loses none.
pub(super) fn sync_normally(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update(None, "synchronous", "NORMAL")
}

pub(super) fn create(db: &Connection, layout: Layout) -> rusqlite::Result<()> {
    db.execute_batch(include_str!("schema.sql"))?;
    // The index by which bookings are counted is the constraint where the guard asks for one.
    let unique = if layout.constraints.unique_unit { "UNIQUE" } else { "" };
    db.execute_batch(&format!(
        "CREATE {unique} INDEX bookings_of_slot ON bookings (slot, span_from, span_to, unit)
             WHERE state = 'confirmed'"
    ))?;
    if layout.constraints.exclude_overlap {
        db.execute_batch(include_str!("exclusion.sql"))?;
    }
    db.execute(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
         INSERT INTO slots (slot, capacity) SELECT n, ?2 FROM numbers WHERE ?1 > 0",
        params![layout.slots, layout.capacity],
    )?;
    Ok(())
}

pub(super) fn drop_tables(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(
        "DROP TABLE IF EXISTS leases; DROP TABLE IF EXISTS request_keys; DROP TABLE IF EXISTS bookings; DROP TABLE IF EXISTS slots",
    )
}

pub(super) fn read_slot(db: &Connection, slot: SlotId) -> rusqlite::Result<Option<SlotState>> {
    db.prepare_cached("SELECT capacity, version, fence FROM slots WHERE slot = ?1")?
        .query_row([slot.0], slot_state)
        .optional()
}

pub(super) fn count_confirmed(db: &Connection, slot: SlotId, span: Span) -> rusqlite::Result<u32> {
    db.prepare_cached(
        "SELECT count(*) FROM bookings
         WHERE slot = ?1 AND state = 'confirmed' AND span_from < ?3 AND span_to > ?2",
    )?
    .query_row([slot.0, span.from, span.to], |row| row.get(0))
}

pub(super) fn reserve_key(db: &Connection, request: AttemptId) -> rusqlite::Result<Reserved> {
    let reserved = db
        .prepare_cached("INSERT INTO request_keys (request) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([request.0])?;
    if reserved > 0 {
        return Ok(Reserved::New);
    }
    db.prepare_cached("SELECT id FROM bookings WHERE attempt = ?1 AND state = 'confirmed'")?
        .query_row([request.0], |row| row.get(0).map(BookingId))
        .optional()
        .map(Reserved::Used)
}

/// `None` when there is no such slot.
pub(super) fn read_slot_and_count(
    db: &Connection,
    slot: SlotId,
    span: Span,
) -> rusqlite::Result<Option<(SlotState, u32)>> {
    db.prepare_cached(
        "SELECT capacity, version, fence,
                (SELECT count(*) FROM bookings
                 WHERE slot = ?1 AND state = 'confirmed' AND span_from < ?3 AND span_to > ?2)
         FROM slots WHERE slot = ?1",
    )?
    .query_row([slot.0, span.from, span.to], |row| Ok((slot_state(row)?, row.get(3)?)))
    .optional()
}

/// `None` when there is no such slot.
pub(super) fn raise_fence(
    db: &Connection,
    slot: SlotId,
    token: i64,
) -> rusqlite::Result<Option<Raised>> {
    let raised = db
        .prepare_cached("UPDATE slots SET fence = ?2 WHERE slot = ?1 AND fence <= ?2")?
        .execute(params![slot.0, token])?;
    if raised > 0 {
        return Ok(Some(Raised::Raised));
    }
    Ok(read_slot(db, slot)?.map(|state| Raised::Refused { fence: state.fence }))
}

pub(super) fn bump_version(
    db: &Connection,
    slot: SlotId,
    expected: i64,
) -> rusqlite::Result<Bumped> {
    let bumped = db
        .prepare_cached("UPDATE slots SET version = version + 1 WHERE slot = ?1 AND version = ?2")?
        .execute(params![slot.0, expected])?;
    Ok(if bumped > 0 { Bumped::Bumped } else { Bumped::Stale })
}

pub(super) fn insert(
    db: &Connection,
    booking: NewBooking,
    token: Option<i64>,
) -> rusqlite::Result<InsertedRow> {
    let NewBooking { slot, span, unit, holder, attempt, fencing_token: _ } = booking;
    let inserted = db
        .prepare_cached(
            "INSERT INTO bookings
                 (slot, span_from, span_to, unit, holder, attempt, state, fencing_token)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'confirmed', ?7)",
        )?
        .insert(params![slot.0, span.from, span.to, unit, holder.0, attempt.0, token]);
    match inserted {
        Ok(id) => Ok(InsertedRow::Row(BookingId(id))),
        // No other constraint of the table can be violated by the values that are written here.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            Ok(InsertedRow::Collision)
        }
        Err(error) => Err(error),
    }
}

pub(super) fn table(db: &Connection) -> rusqlite::Result<BookingTable> {
    // Deferred, and so one snapshot of both tables.
    let snapshot = db.unchecked_transaction()?;
    let slots = snapshot
        .prepare("SELECT slot, capacity, version, fence FROM slots ORDER BY slot")?
        .query_map([], slot_row)?
        .collect::<rusqlite::Result<_>>()?;
    let bookings = snapshot
        .prepare(
            "SELECT id, slot, unit, holder, attempt, fencing_token, span_from, span_to FROM bookings
             WHERE state = 'confirmed' ORDER BY id",
        )?
        .query_map([], booking_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(BookingTable { slots, bookings })
}

fn slot_state(row: &Row<'_>) -> rusqlite::Result<SlotState> {
    Ok(SlotState { capacity: row.get(0)?, version: row.get(1)?, fence: fence(row, 2)? })
}

fn slot_row(row: &Row<'_>) -> rusqlite::Result<SlotRow> {
    Ok(SlotRow {
        slot: SlotId(row.get(0)?),
        capacity: row.get(1)?,
        version: row.get(2)?,
        fence: fence(row, 3)?,
    })
}

fn booking_row(row: &Row<'_>) -> rusqlite::Result<BookingRow> {
    let token: Option<i64> = row.get(5)?;
    Ok(BookingRow {
        id: BookingId(row.get(0)?),
        slot: SlotId(row.get(1)?),
        span: Span { from: row.get(6)?, to: row.get(7)? },
        unit: row.get(2)?,
        holder: HolderId(row.get(3)?),
        attempt: AttemptId(row.get(4)?),
        fencing_token: token.map(|token| FencingToken(token.unsigned_abs())),
    })
}

/// The schema forbids negative tokens, so this loses no sign.
fn fence(row: &Row<'_>, column: usize) -> rusqlite::Result<FencingToken> {
    row.get(column).map(|fence: i64| FencingToken(fence.unsigned_abs()))
}
