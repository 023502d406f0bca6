//! The trials.

use futures_util::FutureExt;
use lockproof_bookings::catalog::Entry;
use lockproof_model::Span;

use super::{Bench, Trial};

pub(super) const TRIALS: &[Trial] = &[
    Trial {
        name: "two_who_both_looked_first_do_not_both_book",
        capacity: 1,
        spares: nobody,
        run: |bench| double_sale(bench).boxed(),
    },
    Trial {
        name: "an_old_look_is_not_written_upon",
        capacity: 1,
        spares: nobody,
        run: |bench| stale_write(bench).boxed(),
    },
    Trial {
        name: "a_write_on_its_way_is_not_overlooked",
        capacity: 1,
        spares: nobody,
        run: |bench| write_on_its_way(bench).boxed(),
    },
    Trial {
        name: "no_booking_slips_in_beside_those_that_were_counted",
        capacity: 2,
        spares: nobody,
        run: |bench| phantom(bench).boxed(),
    },
    Trial {
        name: "what_was_undone_leaves_its_room",
        capacity: 1,
        spares: nobody,
        run: |bench| undone(bench).boxed(),
    },
    Trial {
        name: "spans_that_overlap_are_not_both_sold",
        capacity: 1,
        spares: |entry| {
            entry.constraints.unique_unit.then_some("it knows of equal spans only (F45)")
        },
        run: |bench| overlap(bench).boxed(),
    },
];

const fn nobody(_: &Entry) -> Option<&'static str> {
    None
}

/// Write skew, or a phantom where rows are what is locked: both see 0 of 1, and the first to look writes first.
async fn double_sale(bench: &Bench) {
    let (mut a, mut b) = (bench.buyer(1).await, bench.buyer(2).await);
    assert!(a.look().await, "a free slot was said to be taken");
    if !b.look_or_wait(a.book()).await {
        a.book().await;
    }
    b.book().await;
    assert_eq!(bench.sold().await, 1);
}

/// A lost update: the first to look writes last, upon what it read before the other wrote.
async fn stale_write(bench: &Bench) {
    let (mut a, mut b) = (bench.buyer(1).await, bench.buyer(2).await);
    assert!(a.look().await, "a free slot was said to be taken");
    let waited = b.look_or_wait(a.book()).await;
    b.book().await;
    if !waited {
        a.book().await;
    }
    assert_eq!(bench.sold().await, 1);
}

/// The second looks between the first one's insert and its commit: it must not count without it, and write.
async fn write_on_its_way(bench: &Bench) {
    let (mut a, mut b) = (bench.buyer(1).await, bench.buyer(2).await);
    assert!(a.look().await, "a free slot was said to be taken");
    assert!(a.write().await, "nobody stood in its way");
    if !b.look_or_wait(a.commit()).await {
        a.commit().await;
    }
    b.book().await;
    assert_eq!(bench.sold().await, 1);
}

/// One is sold, and two want the other: there is a row that both can see, and lock.
async fn phantom(bench: &Bench) {
    let mut first = bench.buyer(1).await;
    assert!(first.look().await && first.book().await, "a free slot was refused");
    let (mut a, mut b) = (bench.buyer(2).await, bench.buyer(3).await);
    assert!(a.look().await, "one of two was said to be none");
    if !b.look_or_wait(a.book()).await {
        a.book().await;
    }
    b.book().await;
    assert_eq!(bench.sold().await, 2);
}

/// A write that is rolled back is none: the next buyer has the slot, and it is sold once.
async fn undone(bench: &Bench) {
    let (mut a, mut b) = (bench.buyer(1).await, bench.buyer(2).await);
    assert!(a.look().await && a.write().await, "a free slot was refused");
    a.undo().await;
    assert!(b.look().await && b.book().await, "what was undone stood in the way");
    assert_eq!(bench.sold().await, 1);
}

async fn overlap(bench: &Bench) {
    let (mut a, mut b) = (bench.buyer(1).await, bench.buyer(2).await);
    a.request.span = Span { from: 10, to: 12 };
    b.request.span = Span { from: 11, to: 13 };
    assert!(a.look().await, "a free slot was said to be taken");
    if !b.look_or_wait(a.book()).await {
        a.book().await;
    }
    b.book().await;
    assert_eq!(bench.sold().await, 1);
}
