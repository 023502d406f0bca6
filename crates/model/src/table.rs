//! The judge: what the database holds after the run.

use serde::{Deserialize, Serialize};

use crate::{AttemptId, BookingId, FencingToken, HolderId, SlotId, Span};

/// The slots and bookings tables after every holder has stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookingTable {
    /// Every slot, by number.
    pub slots: Vec<SlotRow>,
    /// Every confirmed booking, by row number.
    pub bookings: Vec<BookingRow>,
}

/// A row of the slots table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotRow {
    /// Which slot.
    pub slot: SlotId,
    /// How often it may be sold.
    pub capacity: u32,
    /// Raised by each booking under the `version` guard.
    pub version: i64,
    /// The largest fencing token that has been presented.
    pub fence: FencingToken,
}

/// A confirmed row of the bookings table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookingRow {
    /// Its primary key.
    pub id: BookingId,
    /// What was sold.
    pub slot: SlotId,
    /// Which part of it.
    #[serde(default, skip_serializing_if = "Span::is_whole")]
    pub span: Span,
    /// Its place within the capacity.
    pub unit: u32,
    /// Who wrote it.
    pub holder: HolderId,
    /// For which attempt.
    pub attempt: AttemptId,
    /// The token it was written under, where the strategy has one.
    pub fencing_token: Option<FencingToken>,
}

impl BookingTable {
    /// Confirmed bookings of `slot`, by row number.
    pub fn bookings_of(&self, slot: SlotId) -> impl Iterator<Item = &BookingRow> {
        self.bookings.iter().filter(move |row| row.slot == slot)
    }
}
