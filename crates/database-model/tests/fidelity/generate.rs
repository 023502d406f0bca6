//! Interleavings.

use lockproof_database_model::{AdvisoryScope, BookingValues, Isolation, SlotLock, Statement};
use lockproof_model::{AttemptId, BookingId, FencingToken, HolderId, SlotId, Span};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::model::Stage;
use crate::script::{Enforced, SESSIONS, Transcript};

const STATEMENTS_MAX: usize = 20;

/// Who does what, in this order. What is sent is decided as it is played: who waits says nothing.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    enforced: Enforced,
    levels: [Isolation; SESSIONS],
    acts: Vec<Act>,
}

#[derive(Clone, Copy, Debug)]
struct Act {
    session: usize,
    statement: Statement,
    /// Or a transaction of its own.
    in_transaction: bool,
}

impl Plan {
    pub(crate) fn play(&self) -> Transcript {
        let mut stage = Stage::new(self.enforced);
        for (number, act) in (1..).zip(&self.acts) {
            let Act { session, mut statement, in_transaction } = *act;
            if let Statement::Insert(values) = &mut statement {
                values.holder = HolderId(u32::try_from(session).expect("there are few") + 1);
                values.attempt = AttemptId(number);
            }
            let level = Some(self.levels[session]).filter(|_| in_transaction);
            let scans = matches!(statement, Statement::FindBooking { .. });
            if scans && self.levels[session] == Isolation::Serializable {
                continue;
            }
            stage.play(session, statement, level);
        }
        stage.finish()
    }
}

/// Two sessions to four, mostly in transactions.
pub(crate) fn plans() -> impl Strategy<Value = Plan> {
    let level = || {
        prop_oneof![
            3 => Just(Isolation::ReadCommitted),
            2 => Just(Isolation::RepeatableRead),
            4 => Just(Isolation::Serializable),
        ]
    };
    // The same for all more often than chance has it: antidependencies take two.
    let levels = prop_oneof![
        2 => [level(), level(), level(), level()],
        1 => level().prop_map(|level| [level; SESSIONS]),
    ];
    (2..=SESSIONS).prop_flat_map(move |sessions| {
        let act = (0..sessions, statement(), prop::bool::weighted(0.9));
        let act = act.prop_map(|(session, statement, in_transaction)| Act {
            session,
            statement,
            in_transaction,
        });
        let acts = vec(act, 2..=STATEMENTS_MAX);
        (select(Enforced::ALL.to_vec()), levels.clone(), acts)
            .prop_map(|(enforced, levels, acts)| Plan { enforced, levels, acts })
    })
}

fn statement() -> impl Strategy<Value = Statement> {
    let slot = || (1..=2_u32).prop_map(SlotId);
    let key = || 1..=2_i64;
    let lock = prop_oneof![
        6 => Just(SlotLock::None),
        4 => Just(SlotLock::ForUpdate),
        1 => Just(SlotLock::ForUpdateNoWait),
        1 => Just(SlotLock::ForUpdateSkipLocked),
        2 => Just(SlotLock::ForShare),
    ];
    let scope = || prop_oneof![Just(AdvisoryScope::Session), Just(AdvisoryScope::Transaction)];
    // Two that overlap, one that overlaps neither, and all of it.
    let span = || {
        let spans = [(10, 12), (11, 13), (13, 14), (Span::WHOLE.from, Span::WHOLE.to)];
        select(spans.to_vec()).prop_map(|(from, to)| Span { from, to })
    };
    let insert = (slot(), span(), 1..=2_u32, prop::option::of(0..3_u64));
    let insert = insert.prop_map(|(slot, span, unit, token)| {
        let (holder, attempt) = (HolderId(0), AttemptId(0));
        let fencing_token = token.map(FencingToken);
        Statement::Insert(BookingValues { slot, span, unit, holder, attempt, fencing_token })
    });
    let attempt = || (1..=3_u32).prop_map(AttemptId);
    prop_oneof![
        8 => (slot(), lock).prop_map(|(slot, lock)| Statement::ReadSlot { slot, lock }),
        6 => (slot(), span()).prop_map(|(slot, span)| Statement::CountConfirmed { slot, span }),
        // One more slot than there is: then nothing is counted.
        4 => (1..=3_u32, span()).prop_map(|(slot, span)| {
            Statement::ReadSlotAndCount { slot: SlotId(slot), span }
        }),
        2 => (slot(), span()).prop_map(|(slot, span)| Statement::LockConfirmed { slot, span }),
        2 => attempt().prop_map(|request| Statement::ReserveKey { request }),
        1 => attempt().prop_map(|attempt| Statement::FindBooking { attempt }),
        2 => (slot(), 1..=3_u64).prop_map(|(slot, token)| {
            Statement::RaiseFence { slot, token: FencingToken(token) }
        }),
        3 => (slot(), 0..=1_i64).prop_map(|(slot, expected)| {
            Statement::BumpVersion { slot, expected }
        }),
        2 => (slot(), 0..=1_i64).prop_map(|(slot, version)| {
            Statement::SetVersion { slot, version }
        }),
        2 => slot().prop_map(|slot| Statement::AddVersion { slot, by: 1 }),
        7 => insert,
        2 => (1..=3_i64).prop_map(|id| Statement::Delete { booking: BookingId(id) }),
        1 => (key(), scope()).prop_map(|(key, scope)| Statement::AdvisoryLock { key, scope }),
        1 => (key(), scope()).prop_map(|(key, scope)| Statement::TryAdvisoryLock { key, scope }),
        1 => key().prop_map(|key| Statement::AdvisoryUnlock { key }),
        6 => Just(Statement::Commit),
        2 => Just(Statement::Rollback),
    ]
}
