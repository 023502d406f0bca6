//! How long all checkers take over a million operations on a hundred locks, and how much memory.
//!
//! One row per checker: the best of five, on one thread. The bars are of the sum: 0.5 s, and 300 MB for the history, the
//! table and whatever checkers make of them together; whether or not there is something to find. A bar that is missed
//! ends the bench with exit code 1.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::disallowed_types, reason = "a bench measures real time")]

use std::process::ExitCode;
use std::time::{Duration, Instant as Clock};

use lockproof_checkers::ENTRIES;
use lockproof_model::{
    Attempt, AttemptId, AttemptResult, BookingId, BookingRow, BookingTable, Effect, Evidence,
    FaultRecord, FencingToken, History, HolderId, Instant, Operation, OperationId, Outcome,
    OwnerValue, Reason, Refusal, RefusedBy, SlotId, SlotRow, Span, Step,
};

const LOCKS: u32 = 100;
const HOLDERS: u32 = 64;
/// Of five operations each; of every fifth that takes a lock the lock is refused, and that is all of it.
const ATTEMPTS: u32 = 238_095;
const TURNS: usize = 5;
const LIMIT: Duration = Duration::from_millis(500);
const MEMORY_MB: u64 = 300;

/// Whether holds follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// They do, and every slot has room.
    Valid,
    /// Each is granted while the one before stands, under the token of another, and all but one write is one too many.
    Violated,
}

fn main() -> ExitCode {
    let met = [Shape::Valid, Shape::Violated].map(measure);
    let peak = peak_mb();
    println!("peak resident memory: {peak} MB, at most {MEMORY_MB} MB");
    if met.contains(&false) || peak > MEMORY_MB { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn measure(shape: Shape) -> bool {
    let (history, table) = made(shape);
    let faults = [healed_at_the_start()];
    let evidence = Evidence { history: &history, table: &table, faults: &faults, left: &[] };
    println!("{shape:?}: {} operations on {LOCKS} locks", history.operations.len());
    let mut sum = Duration::ZERO;
    for entry in ENTRIES {
        let timed = || {
            let begin = Clock::now();
            let finding = entry.checker.check(&evidence);
            (begin.elapsed(), finding.anomalies.len())
        };
        let turns = std::iter::repeat_with(timed).take(TURNS);
        let (took, anomalies) = turns.min().unwrap_or_default();
        println!("  {:20} {:7.1} ms  {anomalies} anomalies", entry.name, took.as_secs_f64() * 1e3);
        sum += took;
    }
    println!("  {:20} {:7.1} ms, at most {} ms", "all", sum.as_secs_f64() * 1e3, LIMIT.as_millis());
    sum <= LIMIT
}

fn made(shape: Shape) -> (History, BookingTable) {
    let mut operations = Vec::with_capacity(1_000_000);
    let mut attempts = Vec::new();
    let mut bookings = Vec::new();
    // How far apart holds of one lock begin, in microseconds; each takes eight.
    let stride = if shape == Shape::Valid { 20 } else { 2 };
    for number in 1..=ATTEMPTS {
        let (slot, holder) = (SlotId(number % LOCKS + 1), HolderId(number % HOLDERS + 1));
        let round = number / LOCKS;
        // Refused is who asks while the holder of the round before is inside.
        let is_refused = round % 5 == 4;
        let begin = if is_refused { (round - 1) * stride + 3 } else { round * stride };
        let at = |micros: u32| {
            let nanos = u64::from(begin + micros) * 1000;
            Instant::from_nanos(nanos + u64::from(number % LOCKS))
        };
        let attempt = AttemptId(number);
        let mut push = |step, from, outcome| {
            operations.push(Operation {
                id: OperationId(0),
                holder,
                attempt,
                slot,
                step,
                invoked: at(from),
                completed: Some(at(from + 1)),
                outcome,
            });
        };
        let booking = BookingId(i64::from(number));
        let result = if is_refused {
            push(Step::Acquire, 0, Outcome::Fail(Reason::Refused(Refusal::Held)));
            AttemptResult::Refused { by: RefusedBy::Lock, refusal: Refusal::Held }
        } else {
            // Bits mixed, so that tokens of the violated shape go back as often as not.
            let token =
                if shape == Shape::Valid { number } else { number.wrapping_mul(2_654_435_761) };
            push(
                Step::Acquire,
                0,
                Outcome::Ok(Effect::Granted {
                    owner: OwnerValue::from_bits(u128::from(number)),
                    requested: at(0),
                    valid_until: at(300_000),
                    fencing_token: Some(FencingToken(u64::from(token))),
                    tries: 1,
                }),
            );
            push(Step::Check, 2, Outcome::Ok(Effect::Checked { confirmed: 0, free: true }));
            push(Step::Insert, 4, Outcome::Ok(Effect::Inserted { unit: 1 }));
            push(Step::Commit, 6, Outcome::Ok(Effect::Committed { booking }));
            push(Step::Release, 8, Outcome::Ok(Effect::Released { owned: true }));
            bookings.push(BookingRow {
                id: booking,
                slot,
                span: Span::WHOLE,
                unit: 1,
                holder,
                attempt,
                fencing_token: Some(FencingToken(u64::from(token))),
            });
            AttemptResult::Booked { booking }
        };
        let (started, finished) = (at(0), at(10));
        attempts.push(Attempt {
            id: attempt,
            holder,
            slot,
            intended: started,
            started,
            finished,
            result,
        });
    }
    let capacity = if shape == Shape::Valid { ATTEMPTS } else { 1 };
    let slot = |number| SlotRow {
        slot: SlotId(number),
        capacity,
        version: 0,
        fence: FencingToken(u64::from(u32::MAX)),
    };
    let slots = (1..=LOCKS).map(slot).collect();
    (History::assemble(operations, attempts), BookingTable { slots, bookings })
}

fn healed_at_the_start() -> FaultRecord {
    FaultRecord {
        fault: 1,
        kind: "delay".to_owned(),
        injected: Instant::ZERO,
        healed: Some(Instant::from_nanos(1)),
        holder: None,
        slot: None,
        bit: true,
        observed: String::new(),
    }
}

/// The most memory that this process has had, as the kernel counts it; 0 where it does not say.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
    kilobytes.unwrap_or(0_u64) / 1024
}
