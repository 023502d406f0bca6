//! Histories written by hand, in milliseconds.

use std::time::Duration;

use lockproof_checkers::find;
use lockproof_model::{
    Attempt, AttemptId, AttemptResult, BookingId, BookingRow, BookingTable, Effect, Evidence,
    FaultRecord, FencingToken, Finding, History, HolderId, Instant, LockLeft, LockName, Operation,
    OperationId, Outcome, OwnerValue, Reason, Refusal, RefusedBy, SlotId, SlotRow, Span, Step,
};

/// A run that a test makes up.
#[derive(Debug, Default)]
pub(crate) struct Run {
    operations: Vec<Operation>,
    attempts: Vec<Attempt>,
    table: BookingTable,
    faults: Vec<FaultRecord>,
    left: Vec<LockLeft>,
}

pub(crate) fn ms(millis: u64) -> Instant {
    Instant::from_nanos(millis * 1_000_000)
}

impl Run {
    /// A run with slots 1 to 9 that can be sold `capacity` times.
    pub(crate) fn with_capacity(capacity: u32) -> Self {
        let slot = |slot| SlotRow { slot, capacity, version: 0, fence: FencingToken(0) };
        let slots = (1..=9).map(|number| slot(SlotId(number))).collect();
        Self { table: BookingTable { slots, bookings: Vec::new() }, ..Self::default() }
    }

    /// An attempt of `holder` at `slot`, numbered by its place.
    pub(crate) fn attempt(&mut self, holder: u32, slot: u32) -> Try<'_> {
        let id = AttemptId(u32::try_from(self.attempts.len() + 1).expect("few attempts"));
        let (holder, slot) = (HolderId(holder), SlotId(slot));
        self.attempts.push(Attempt {
            id,
            holder,
            slot,
            intended: Instant::ZERO,
            started: Instant::ZERO,
            finished: Instant::ZERO,
            result: AttemptResult::Unknown { error: "the run ended".to_owned() },
        });
        Try { run: self, id, holder, slot }
    }

    pub(crate) fn fault(&mut self, holder: Option<u32>, kind: &str, from: u64, until: u64) {
        self.faults.push(FaultRecord {
            fault: 1,
            kind: kind.to_owned(),
            injected: ms(from),
            healed: Some(ms(until)),
            holder: holder.map(HolderId),
            slot: None,
            bit: true,
            observed: "nothing moved".to_owned(),
        });
    }

    /// The fence of `slot` has been raised to `fence`.
    pub(crate) fn fenced(&mut self, slot: u32, fence: u64) {
        let rows = self.table.slots.iter_mut();
        rows.filter(|row| row.slot == SlotId(slot)).for_each(|row| row.fence = FencingToken(fence));
    }

    /// A lock that stands in the end, on the first server.
    pub(crate) fn left(&mut self, slot: u32, owner: &str) {
        let lock = LockName::new(&format!("slot-{slot}"));
        self.left.push(LockLeft { lock, server: 1, owner: OwnerValue::new(owner), ends: true });
    }

    /// The same of one that has no TTL.
    pub(crate) fn left_for_ever(&mut self, slot: u32, owner: &str) {
        self.left(slot, owner);
        self.left.last_mut().expect("just added").ends = false;
    }

    pub(crate) fn finish(self) -> Finished {
        let Self { operations, attempts, table, faults, left } = self;
        Finished { history: History::assemble(operations, attempts), table, faults, left }
    }
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) history: History,
    table: BookingTable,
    faults: Vec<FaultRecord>,
    left: Vec<LockLeft>,
}

impl Finished {
    pub(crate) fn evidence(&self) -> Evidence<'_> {
        Evidence {
            history: &self.history,
            table: &self.table,
            faults: &self.faults,
            left: &self.left,
        }
    }

    pub(crate) fn judge(&self, checker: &str) -> Finding {
        find(checker).expect("a checker of that name").checker.check(&self.evidence())
    }

    /// The witness of an anomaly, readable: `holder 3 acquire`.
    pub(crate) fn names(&self, witness: &[OperationId]) -> Vec<String> {
        let name = |op: &Operation| format!("{} {}", op.holder, op.step);
        witness
            .iter()
            .map(|id| name(self.history.operation(*id).expect("a known operation")))
            .collect()
    }
}

/// One attempt in the making.
#[derive(Debug)]
pub(crate) struct Try<'r> {
    run: &'r mut Run,
    id: AttemptId,
    holder: HolderId,
    slot: SlotId,
}

impl Try<'_> {
    /// A grant that was requested at `from` and seen at `to`, valid until `valid_until`.
    pub(crate) fn acquire(self, from: u64, to: u64, valid_until: u64) -> Self {
        self.granted(from, to, ms(valid_until), None)
    }

    /// A grant that nothing bounds.
    pub(crate) fn acquire_unbounded(self, from: u64, to: u64) -> Self {
        self.granted(from, to, Instant::FAR_FUTURE, None)
    }

    /// A grant of one second with a fencing token.
    pub(crate) fn acquire_with_token(self, from: u64, to: u64, token: u64) -> Self {
        self.granted(from, to, ms(from + 1000), Some(FencingToken(token)))
    }

    /// A refusal by the lock, asked for from `from` to `to`.
    pub(crate) fn held(self, from: u64, to: u64) -> Self {
        let outcome = Outcome::Fail(Reason::Refused(Refusal::Held));
        let run = self.operation(Step::Acquire, from, Some(to), outcome);
        run.result(AttemptResult::Refused { by: RefusedBy::Lock, refusal: Refusal::Held })
    }

    /// When the attempt was open.
    pub(crate) fn open(self, from: u64, to: u64) -> Self {
        let attempt = self.run.attempts.last_mut().expect("an attempt");
        (attempt.intended, attempt.started, attempt.finished) = (ms(from), ms(from), ms(to));
        self
    }

    /// The row that was just written bears this token.
    pub(crate) fn under_token(self, token: u64) -> Self {
        let row = self.run.table.bookings.last_mut().expect("a row");
        row.fencing_token = Some(FencingToken(token));
        self
    }

    /// What follows is of another slot of the same attempt.
    pub(crate) fn on(self, slot: u32) -> Self {
        Self { slot: SlotId(slot), ..self }
    }

    pub(crate) fn renew(self, from: u64, to: u64, valid_until: u64) -> Self {
        let valid_until = ms(valid_until);
        self.ok(Step::Renew, from, to, Effect::Renewed { valid_until })
    }

    pub(crate) fn notify(self, from: u64, to: u64) -> Self {
        self.ok(Step::Notify, from, to, Effect::Done)
    }

    pub(crate) fn verify(self, from: u64, to: u64, remaining: u64) -> Self {
        let remaining = Duration::from_millis(remaining);
        self.ok(Step::Verify, from, to, Effect::Verified { remaining })
    }

    pub(crate) fn check(self, from: u64, to: u64, confirmed: u32) -> Self {
        let free = confirmed < self.run.table.slots[0].capacity;
        self.ok(Step::Check, from, to, Effect::Checked { confirmed, free })
    }

    pub(crate) fn work(self, from: u64, to: u64) -> Self {
        self.ok(Step::Work, from, to, Effect::Done)
    }

    pub(crate) fn insert(self, from: u64, to: u64) -> Self {
        self.ok(Step::Insert, from, to, Effect::Inserted { unit: 1 })
    }

    /// An insert to which the guard says no.
    pub(crate) fn refused_insert(self, from: u64, to: u64, refusal: Refusal) -> Self {
        let outcome = Outcome::Fail(Reason::Refused(refusal));
        self.operation(Step::Insert, from, Some(to), outcome).refused()
    }

    /// A commit that is acknowledged, with the row that it leaves.
    pub(crate) fn commit(self, from: u64, to: u64) -> Self {
        let booking = BookingId(i64::from(self.id.0));
        let run = self.ok(Step::Commit, from, to, Effect::Committed { booking }).row();
        run.result(AttemptResult::Booked { booking })
    }

    pub(crate) fn release(self, from: u64, to: u64) -> Self {
        self.ok(Step::Release, from, to, Effect::Released { owned: true })
    }

    /// A step whose answer never came.
    pub(crate) fn unanswered(self, step: Step, from: u64) -> Self {
        self.operation(step, from, None, Outcome::Info(Reason::Unanswered))
    }

    /// A row in the table, whatever the history says.
    pub(crate) fn row(self) -> Self {
        self.row_of(Span::WHOLE)
    }

    /// The same of a part of the slot.
    pub(crate) fn row_of(self, span: Span) -> Self {
        let Self { id, holder, slot, .. } = self;
        let number = i64::try_from(self.run.table.bookings.len() + 1).expect("few rows");
        let row = BookingRow {
            id: BookingId(number),
            slot,
            span,
            unit: 1,
            holder,
            attempt: id,
            fencing_token: None,
        };
        self.run.table.bookings.push(row);
        self
    }

    /// What the customer is told without anything having been done.
    pub(crate) fn result(self, result: AttemptResult) -> Self {
        self.run.attempts.last_mut().expect("an attempt").result = result;
        self
    }

    pub(crate) fn refused(self) -> Self {
        self.result(AttemptResult::Refused { by: RefusedBy::Guard, refusal: Refusal::Fenced })
    }

    fn granted(self, from: u64, to: u64, until: Instant, token: Option<FencingToken>) -> Self {
        let effect = Effect::Granted {
            owner: OwnerValue::from_bits(u128::from(self.id.0)),
            requested: ms(from),
            valid_until: until,
            fencing_token: token,
            tries: 1,
        };
        self.ok(Step::Acquire, from, to, effect)
    }

    fn ok(self, step: Step, from: u64, to: u64, effect: Effect) -> Self {
        self.operation(step, from, Some(to), Outcome::Ok(effect))
    }

    fn operation(self, step: Step, from: u64, to: Option<u64>, outcome: Outcome) -> Self {
        let Self { id: attempt, holder, slot, .. } = self;
        self.run.operations.push(Operation {
            id: OperationId(0),
            holder,
            attempt,
            slot,
            step,
            invoked: ms(from),
            completed: to.map(ms),
            outcome,
        });
        self
    }
}
