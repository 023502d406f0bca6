//! What an error of MariaDB means for the booking.

use mysql_async::Error;

use crate::BookingError;

/// A lock was waited for longer than `innodb_lock_wait_timeout`, or not at all under NOWAIT.
const LOCK_WAIT_TIMEOUT: u16 = 1205;
/// The transaction was chosen to end a circle of waits; at COMMIT, a cluster's other node was quicker.
const LOCK_DEADLOCK: u16 = 1213;
/// The row has changed since the transaction's snapshot (`innodb_snapshot_isolation`).
const CHECKREAD: u16 = 1020;
const DUPLICATE_KEY: u16 = 1062;
/// With each of these the server closes the connection: it shuts down, somebody killed the session, or the session
/// was silent for longer than it may.
const LAST_WORDS: [u16; 4] = [1053, 1927, 1158, 1159];

/// An error of a statement before COMMIT.
pub(super) fn statement_error(doing: &'static str, error: Error) -> BookingError {
    let aborted = code(&error).is_some_and(is_abort);
    let error = BookingError::mariadb(doing, error);
    if aborted { error.aborted() } else { error }
}

/// Whether `error`, got for an INSERT, says that a constraint has the key, or an overlapping one, already.
pub(super) fn is_collision(error: &Error) -> bool {
    code(error) == Some(DUPLICATE_KEY)
}

/// Whether `error`, got for a NOWAIT, says that somebody else has the lock.
pub(super) fn is_locked(error: &Error) -> bool {
    code(error) == Some(LOCK_WAIT_TIMEOUT)
}

/// Whether the connection is of no more use.
pub(super) fn is_the_end(error: &Error) -> bool {
    error.is_fatal() || code(error).is_some_and(|code| LAST_WORDS.contains(&code))
}

/// An error of COMMIT. Definite only where the server says that it rolled the transaction back instead. Any other
/// answer may come after the commit was written, and a lost connection says nothing.
pub(super) fn commit_error(error: Error) -> BookingError {
    let rolled_back = code(&error) == Some(LOCK_DEADLOCK);
    let error = BookingError::mariadb("commit", error);
    if rolled_back { error.aborted() } else { error }
}

/// Whether the server asks for the transaction to be tried again, which is how it keeps its promise to another one.
///
/// Of a wait that took too long it says so in the words that it has for a deadlock, and where its detection of
/// deadlocks is off (`innodb_deadlock_detect`) that is how they end. It has undone the statement alone then; the
/// session undoes the rest.
fn is_abort(code: u16) -> bool {
    [LOCK_DEADLOCK, LOCK_WAIT_TIMEOUT, CHECKREAD].contains(&code)
}

fn code(error: &Error) -> Option<u16> {
    match error {
        Error::Server(error) => Some(error.code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use lockproof_model::Refusal;
    use mysql_async::{DriverError, ServerError};

    use super::*;
    use crate::Certainty;

    fn said(code: u16) -> Error {
        Error::Server(ServerError { code, message: String::new(), state: "HY000".to_owned() })
    }

    #[test]
    fn a_deadlock_and_a_wait_that_took_too_long_are_aborts_and_nothing_else_is() {
        for code in [1213, 1205, 1020] {
            let error = statement_error("read the slot", said(code));
            assert_eq!(error.refusal(), Some(Refusal::Aborted), "{code}");
        }
        for code in [1062, 1146, 1317, 1927] {
            assert_eq!(statement_error("read the slot", said(code)).refusal(), None, "{code}");
        }
    }

    #[test]
    fn only_the_answer_that_it_was_rolled_back_rules_a_commit_out() {
        assert_eq!(commit_error(said(1213)).refusal(), Some(Refusal::Aborted));
        let closed = Error::Driver(DriverError::ConnectionClosed);
        for error in [said(1205), said(1180), said(1053), said(1927), said(1317), closed] {
            let text = error.to_string();
            let error = commit_error(error);
            assert_eq!(error.certainty(), Certainty::Indefinite, "{text}");
            assert_eq!(error.refusal(), None, "{text}");
        }
    }

    #[test]
    fn a_session_that_was_killed_is_dialled_again_and_one_that_was_refused_is_not() {
        assert!(
            is_the_end(&said(1927)) && is_the_end(&Error::Driver(DriverError::ConnectionClosed))
        );
        assert!(!is_the_end(&said(1213)) && !is_the_end(&said(1062)));
    }
}
