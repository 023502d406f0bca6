//! What the tables are made of.

/// How [`Database::new`](crate::Database::new) fills its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// How many slots, numbered from 1.
    pub slots: u32,
    /// How often each may be sold.
    pub capacity: u32,
    /// Whether (slot, span, unit) is unique among bookings.
    pub unique_unit: bool,
    /// Whether no two bookings of a slot may overlap.
    pub exclude_overlap: bool,
    /// How much a SERIALIZABLE read of bookings locks.
    pub predicate_locks: PredicateLocks,
}

/// How much a SERIALIZABLE read of bookings locks, which decides how often a transaction is refused for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PredicateLocks {
    /// What was read: the bookings of one slot. A server with a large table comes close.
    #[default]
    Exact,
    /// A page of the index that was read. As long as a table is small there is one: counting the bookings of any slot
    /// collides with writing one of any other.
    OnePage,
}
