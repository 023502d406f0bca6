//! A confirmed row together with what its holder did to write it.

use std::collections::BTreeMap;

use lockproof_model::{
    BookingRow, BookingTable, Instant, Operation, OperationId, SlotId, Span, Step,
};

use crate::hold::Hold;
use crate::passage::{Passage, Passages, end_of};

/// One row of the bookings table and the operations that led to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sale<'a> {
    pub(crate) row: &'a BookingRow,
    pub(crate) passage: Passage<'a>,
    pub(crate) hold: Option<Hold<'a>>,
    pub(crate) check: Option<&'a Operation>,
    pub(crate) insert: Option<&'a Operation>,
    pub(crate) commit: Option<&'a Operation>,
}

/// Of sales by ranges, those that filled the slot and those too many: whichever came to stand when some unit of its
/// range was sold `room` times already.
fn filled<'a>(sales: Vec<Sale<'a>>, room: usize) -> (Vec<Sale<'a>>, Vec<Sale<'a>>) {
    let (mut sold, mut duplicates): (Vec<Sale<'a>>, Vec<Sale<'a>>) = (Vec::new(), Vec::new());
    for sale in sales {
        let overlapping: Vec<Span> =
            sold.iter().filter(|other| other.overlaps(&sale)).map(|other| other.row.span).collect();
        // Most are sold where one of them begins, or where this one does.
        let begins = overlapping.iter().map(|span| span.from.max(sale.row.span.from));
        let sold_at = |unit: u32| {
            overlapping.iter().filter(|span| span.from <= unit && unit < span.to).count()
        };
        let most = begins.map(sold_at).max().unwrap_or(0);
        if most < room { sold.push(sale) } else { duplicates.push(sale) }
    }
    (sold, duplicates)
}

impl<'a> Sale<'a> {
    fn overlaps(&self, other: &Self) -> bool {
        self.row.span.overlaps(other.row.span)
    }

    fn new(row: &'a BookingRow, passages: &'a Passages<'a>) -> Self {
        let passage = passages.of(row.attempt);
        Self {
            row,
            passage,
            hold: Hold::last_for(passage, row.slot),
            check: passage.last_on(row.slot, Step::Check),
            insert: passage.last_on(row.slot, Step::Insert),
            // One for all that the attempt has written.
            commit: passage.last(Step::Commit),
        }
    }

    /// When the row stood, as far as its holder knows.
    pub(crate) fn stood(&self) -> Option<Instant> {
        self.commit.or(self.insert).map(end_of)
    }

    /// When its holder went in: by its grant, or without one by its first operation.
    pub(crate) fn entered(&self) -> Option<Instant> {
        let first = self.passage.operations.first().map(|operation| operation.invoked);
        self.hold.map(|hold| hold.granted).or(first)
    }

    /// The operations that prove the sale: acquire, check, insert, commit.
    pub(crate) fn witness(&self) -> impl Iterator<Item = OperationId> {
        let acquire = self.hold.map(|hold| hold.acquire).or(self.passage.last(Step::Acquire));
        [acquire, self.check, self.insert, self.commit].into_iter().flatten().map(|op| op.id)
    }
}

/// The capacity of a slot that the slots table does not have.
const NOT_FOR_SALE: u32 = 0;

/// A slot with more confirmed bookings than its capacity.
#[derive(Clone, Debug)]
pub(crate) struct Oversold<'a> {
    pub(crate) slot: SlotId,
    pub(crate) capacity: u32,
    /// Its sales: those that filled it, then those too many, each in the order in which they stood. Of a slot that is
    /// sold by ranges, only those that overlap with one too many.
    pub(crate) sales: Vec<Sale<'a>>,
    /// How many of them filled it.
    filling: usize,
}

impl<'a> Oversold<'a> {
    /// Every oversold slot, by number.
    pub(crate) fn all_of(
        table: &'a BookingTable,
        passages: &'a Passages<'a>,
    ) -> impl Iterator<Item = Self> {
        let capacities: BTreeMap<_, _> =
            table.slots.iter().map(|row| (row.slot, row.capacity)).collect();
        let mut rows: Vec<_> = table.bookings.iter().collect();
        rows.sort_by_key(|row| row.slot);
        let groups: Vec<_> = rows.chunk_by(|a, b| a.slot == b.slot).map(<[_]>::to_vec).collect();
        groups.into_iter().filter_map(move |rows| {
            let slot = rows.first()?.slot;
            let capacity = capacities.get(&slot).copied().unwrap_or(NOT_FOR_SALE);
            Self::of(slot, capacity, rows, passages)
        })
    }

    /// This slot, if it is oversold.
    pub(crate) fn find(
        slot: SlotId,
        table: &'a BookingTable,
        passages: &'a Passages<'a>,
    ) -> Option<Self> {
        let found = table.slots.iter().find(|row| row.slot == slot);
        let capacity = found.map_or(NOT_FOR_SALE, |row| row.capacity);
        Self::of(slot, capacity, table.bookings_of(slot).collect(), passages)
    }

    /// Confirmed bookings above capacity.
    pub(crate) fn excess(&self) -> u32 {
        u32::try_from(self.duplicates().len()).unwrap_or(u32::MAX)
    }

    /// The sales that should not have been: those for which there was no room left when they came to stand.
    pub(crate) fn duplicates(&self) -> &[Sale<'a>] {
        &self.sales[self.filling..]
    }

    /// The sales that filled the slot.
    pub(crate) fn within_capacity(&self) -> &[Sale<'a>] {
        &self.sales[..self.filling]
    }

    fn of(
        slot: SlotId,
        capacity: u32,
        rows: Vec<&'a BookingRow>,
        passages: &'a Passages<'a>,
    ) -> Option<Self> {
        if u32::try_from(rows.len()).is_ok_and(|count| count <= capacity) {
            return None;
        }
        let mut sales: Vec<_> = rows.into_iter().map(|row| Sale::new(row, passages)).collect();
        sales.sort_by_key(|sale| (sale.stood().unwrap_or(Instant::FAR_FUTURE), sale.row.id));
        let room = usize::try_from(capacity).unwrap_or(usize::MAX);
        let filling = if sales.iter().all(|sale| sale.row.span.is_whole()) {
            room
        } else {
            let (mut sold, duplicates) = filled(sales, room);
            sold.retain(|sale| duplicates.iter().any(|other| other.overlaps(sale)));
            sales = sold;
            let filling = sales.len();
            sales.extend(duplicates);
            filling
        };
        (filling < sales.len()).then_some(Self { slot, capacity, sales, filling })
    }
}
