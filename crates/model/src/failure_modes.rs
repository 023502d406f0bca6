//! The catalogue of failure modes: the ways to sell a slot twice, or to sell nothing at all.
//!
//! A scenario names those that it shows by `catalog = ["F01"]`, a report counts them, and a test holds each [`Place`]
//! against the scenarios that are shipped.

/// A way in which a lock or a guard fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureMode {
    /// Its number: `F01` and up.
    pub id: &'static str,
    /// What happens, as a phrase.
    pub name: &'static str,
    /// Where it is shown.
    pub place: Place,
}

/// Where a failure mode is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the simulated world, and mostly live as well.
    Simulated,
    /// On real servers alone, for this reason.
    Live(&'static str),
    /// Nowhere yet, for this reason.
    Nowhere(&'static str),
}

const fn simulated(id: &'static str, name: &'static str) -> FailureMode {
    FailureMode { id, name, place: Place::Simulated }
}

const fn live(id: &'static str, name: &'static str, why: &'static str) -> FailureMode {
    FailureMode { id, name, place: Place::Live(why) }
}

const fn nowhere(id: &'static str, name: &'static str, why: &'static str) -> FailureMode {
    FailureMode { id, name, place: Place::Nowhere(why) }
}

/// Every failure mode, by its number.
pub const FAILURE_MODES: &[FailureMode] = &[
    // A holder outlives its lease.
    simulated("F01", "a process pauses past its TTL"),
    simulated("F02", "a pause while the replies to an acquire are on their way"),
    simulated("F03", "slow work outlasts the lease"),
    simulated("F04", "a gap between the look at the lease and the write"),
    simulated("F05", "a write that the network delivers after the lease"),
    nowhere(
        "F06",
        "granted from a queue after the own lease has ended",
        "no lock here queues at the server",
    ),
    nowhere(
        "F07",
        "a dying session's node is taken for the own",
        "no client here takes up a session that it lost",
    ),
    live(
        "F08",
        "a session is lost and its holder works on",
        "the model has neither etcd nor ZooKeeper",
    ),
    // Release.
    simulated("F09", "released by DEL, whoever has the lock"),
    simulated("F10", "released by GET, compare, DEL in separate commands"),
    simulated("F11", "an owner value that is not unique"),
    nowhere(
        "F12",
        "the thread as owner of a lock of tasks",
        "owners are drawn for each acquire; none here is a thread",
    ),
    simulated("F13", "released before the commit"),
    nowhere(
        "F14",
        "the next reader looks at a replica that lags",
        "the database has no replica here",
    ),
    simulated("F15", "a release that was lost or cancelled"),
    simulated("F16", "a failed renewal gives up the healthy servers"),
    // Acquire.
    simulated("F17", "a lock and its TTL in two commands"),
    simulated("F18", "granted, and the reply is lost"),
    live(
        "F19",
        "the client library sends the acquire again",
        "the simulated client never sends twice",
    ),
    simulated("F20", "a slow acquire counts as granted"),
    simulated("F21", "a slow acquire fails and leaves its keys"),
    simulated("F22", "the future of an acquire is dropped"),
    simulated("F23", "no time limit for each server"),
    simulated("F24", "a TTL that rounding shortens"),
    simulated("F25", "a lock stolen by the time stamp in its value"),
    simulated("F26", "votes are split again and again"),
    nowhere("F27", "a wake-up is lost", "locks here poll; none waits for a message"),
    // The lock service loses or distorts state.
    simulated("F28", "failover to a replica that lacks the lock"),
    simulated("F29", "WAIT is satisfied by the wrong replica"),
    simulated("F30", "a Redlock server restarts empty"),
    simulated("F31", "an exact majority, and one server fails over"),
    simulated("F32", "a server's clock jumps forward"),
    simulated("F33", "a server's clock is set back"),
    simulated("F34", "the lock is evicted or flushed"),
    simulated("F35", "clients' clocks decide on expiry"),
    simulated("F36", "a clock that runs fast"),
    nowhere(
        "F37",
        "the minority side goes on granting",
        "a cluster on one machine is not cut in two here",
    ),
    nowhere(
        "F38",
        "a lease outlives its TTL at the server",
        "a defect of certain releases of etcd",
    ),
    // Renewal.
    simulated("F39", "the watchdog stands still"),
    simulated("F40", "renewed for ever"),
    simulated("F41", "a renewal raises the dead"),
    simulated("F42", "the renewal failed and the work goes on"),
    // Database strategies.
    simulated("F43", "check, then insert, at READ COMMITTED"),
    simulated("F44", "FOR UPDATE of a row that is not there"),
    simulated("F45", "ranges overlap and their keys differ"),
    simulated("F46", "a session's advisory lock behind a pooler of transactions"),
    simulated("F47", "two tasks share the session of an advisory lock"),
    simulated("F48", "two names, one advisory key"),
    simulated("F49", "the server ends the holder's session"),
    simulated("F50", "a client that is gone keeps its database lock"),
    simulated("F51", "several slots, locked in different orders"),
    simulated("F52", "some of several locks, not given back"),
    simulated("F53", "a commit's acknowledgement is lost, and it is tried again"),
    nowhere(
        "F54",
        "two requests with one idempotency key",
        "a customer here asks for one thing at a time",
    ),
    simulated("F55", "a version that nobody checks"),
    // Fencing used wrongly.
    simulated("F56", "the counter of tokens is lost"),
    simulated("F57", "the token is compared, then the row is written"),
    simulated("F58", "a side effect outside the fence"),
    // Met in booking systems.
    simulated("F59", "verified, then inserted"),
    simulated("F60", "allkeys-lru for the Redis of locks"),
    simulated("F61", "checked, talked about, then booked"),
    simulated("F62", "a transaction that outlasts a TTL of seconds"),
    simulated("F63", "callers that take no lock"),
    nowhere(
        "F64",
        "a hash tag narrower than the operation",
        "no lock here takes several keys in one script",
    ),
    nowhere("F65", "KEYS on the server of locks", "nothing here lists locks by KEYS"),
    simulated("F66", "the fence is looked at by the write alone"),
];

/// The failure mode with this number.
#[must_use]
pub fn failure_mode(id: &str) -> Option<&'static FailureMode> {
    FAILURE_MODES.iter().find(|mode| mode.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_numbered_without_a_gap() {
        for (number, mode) in (1..).zip(FAILURE_MODES) {
            assert_eq!(mode.id, format!("F{number:02}"));
        }
        assert_eq!(FAILURE_MODES.len(), 66);
    }
}
