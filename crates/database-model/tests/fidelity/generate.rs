//! Interleavings.

use lockproof_database_model::{AdvisoryScope, BookingValues, Isolation, SlotLock, Statement};
use lockproof_model::{AttemptId, BookingId, FencingToken, HolderId, SlotId};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::model::Stage;
use crate::script::{SESSIONS, Transcript};

const STATEMENTS_MAX: usize = 20;

/// Who does what, in this order. What is sent is decided as it is played: who waits says nothing.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    unique_unit: bool,
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
        let mut stage = Stage::new(self.unique_unit);
        for (number, act) in (1..).zip(&self.acts) {
            let Act { session, mut statement, in_transaction } = *act;
            if let Statement::Insert(values) = &mut statement {
                values.holder = HolderId(u32::try_from(session).expect("there are few") + 1);
                values.attempt = AttemptId(number);
            }
            let level = Some(self.levels[session]).filter(|_| in_transaction);
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
        (any::<bool>(), levels.clone(), acts).prop_map(|(unique_unit, levels, acts)| Plan {
            unique_unit,
            levels,
            acts,
        })
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
    let insert = (slot(), 1..=2_u32, prop::option::of(0..3_u64)).prop_map(|(slot, unit, token)| {
        let (holder, attempt) = (HolderId(0), AttemptId(0));
        let fencing_token = token.map(FencingToken);
        Statement::Insert(BookingValues { slot, unit, holder, attempt, fencing_token })
    });
    prop_oneof![
        8 => (slot(), lock).prop_map(|(slot, lock)| Statement::ReadSlot { slot, lock }),
        6 => slot().prop_map(|slot| Statement::CountConfirmed { slot }),
        // One more slot than there is: then nothing is counted.
        4 => (1..=3_u32).prop_map(|slot| Statement::ReadSlotAndCount { slot: SlotId(slot) }),
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
