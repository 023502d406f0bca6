//! What a booking's transaction costs under each guard, when nobody else wants the slot.
//!
//! One iteration is begin, check, insert and commit, on one connection. Slots are taken in turn and are never
//! sold out, so that a booking costs the same at the end of a measurement as at its start.

use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput};
use lockproof_benches::{Servers, Source, World, criterion};
use lockproof_bookings::catalog::{ENTRIES, Entry};
use lockproof_bookings::{BookingSession, Checked, Committed, Inserted, Layout, Request};
use lockproof_env::live;
use lockproof_model::{AttemptId, FencingToken, HolderId, SlotId, Span};
use lockproof_rig::System;

const SOURCES: [Source; 2] = [
    Source { name: "sqlite", provider: "embedded", programs: &[] },
    Source { name: "postgres", provider: "process", programs: &["postgres", "initdb"] },
];

const SLOTS: u32 = 20_000;
const CAPACITY: u32 = 1_000;
const HOLDER: HolderId = HolderId(1);

fn main() {
    let mut criterion = criterion();
    for source in SOURCES {
        let Some(servers) = source.servers() else { continue };
        measure(&mut criterion, source.name, &servers);
    }
    criterion.final_summary();
}

fn measure(criterion: &mut Criterion, source: &str, servers: &Servers) {
    let mut group = criterion.benchmark_group(format!("booking/{source}"));
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(1));
    for entry in ENTRIES {
        let mut desk = None;
        group.bench_function(entry.name, |bencher| {
            let desk = desk.get_or_insert_with(|| Desk::open(servers, entry));
            bencher.iter_custom(|bookings| desk.sell(bookings));
        });
    }
    group.finish();
}

/// One holder, booking slot after slot.
struct Desk<'a> {
    seller: Seller,
    world: World<'a>,
}

impl<'a> Desk<'a> {
    fn open(servers: &'a Servers, entry: &'static Entry) -> Self {
        let layout = Layout { slots: SLOTS, capacity: CAPACITY, constraints: entry.constraints };
        let world = World::of_bookings(servers, entry.name, layout);
        let store = world.rig.store();
        let opened = world.block_on(BookingSession::open(store.as_ref(), entry.guard, HOLDER));
        let session = opened.expect("the database answers");
        Self { seller: Seller { session, needs_token: entry.needs_token, sold: 0 }, world }
    }

    /// Sells so many, one after another; how long that took.
    fn sell(&mut self, bookings: u64) -> Duration {
        let seller = &mut self.seller;
        self.world.block_on(async {
            let elapsed = live::stopwatch();
            for _ in 0..bookings {
                seller.book().await;
            }
            elapsed()
        })
    }
}

struct Seller {
    session: BookingSession,
    needs_token: bool,
    sold: u32,
}

impl Seller {
    async fn book(&mut self) {
        let request = self.next_request();
        self.session.begin(request).await.expect("the database answers");
        let checked = self.session.check().await.expect("the database answers");
        assert!(matches!(checked, Checked::Free(_)), "{} is never sold out", request.slot);
        let inserted = self.session.insert().await.expect("the database answers");
        assert!(matches!(inserted, Inserted::Written { .. }), "{} is contended", request.slot);
        let committed = self.session.commit().await.expect("the database answers");
        assert!(matches!(committed, Committed::Booked(_)), "{} is contended", request.slot);
    }

    fn next_request(&mut self) -> Request {
        self.sold += 1;
        Request {
            slot: SlotId(self.sold % SLOTS + 1),
            span: Span::WHOLE,
            holder: HOLDER,
            attempt: AttemptId(self.sold),
            fencing_token: self.needs_token.then_some(FencingToken(self.sold.into())),
        }
    }
}
