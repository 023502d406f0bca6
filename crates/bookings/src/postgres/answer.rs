//! What an error of `PostgreSQL` means for the booking.

use tokio_postgres::Error;
use tokio_postgres::error::{Severity, SqlState};

use crate::BookingError;

/// Classes of SQLSTATE, its first two characters.
const INTEGRITY_VIOLATION: &str = "23";
const CONNECTION_EXCEPTION: &str = "08";

/// An error of a statement before COMMIT.
pub(super) fn statement_error(doing: &'static str, error: Error) -> BookingError {
    let aborted = error.code().is_some_and(is_abort);
    let error = BookingError::postgres(doing, error);
    if aborted { error.aborted() } else { error }
}

/// Whether `error`, got for an INSERT, says that a constraint has the key, or an overlapping one, already.
pub(super) fn is_collision(error: &Error) -> bool {
    let collisions = [&SqlState::UNIQUE_VIOLATION, &SqlState::EXCLUSION_VIOLATION];
    error.code().is_some_and(|code| collisions.contains(&code))
}

/// Whether `error`, got for a NOWAIT, says that somebody else has the lock.
pub(super) fn is_locked(error: &Error) -> bool {
    error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
}

/// An error of COMMIT. Definite only when the server answered with an `ERROR` about the transaction: a
/// lost connection says nothing, and neither does a `FATAL`, which ends the backend at any moment, before
/// its commit or after.
pub(super) fn commit_error(error: Error) -> BookingError {
    committing_error("commit", error)
}

/// The same of a statement that commits by itself.
pub(super) fn committing_error(doing: &'static str, error: Error) -> BookingError {
    let answer = error.as_db_error().map(|db| (db.parsed_severity(), db.code().clone()));
    let error = BookingError::postgres(doing, error);
    match answer {
        Some((severity, code)) if rules_commit_out(severity, &code) => {
            // Constraints may be deferred to the commit.
            let aborted = is_abort(&code) || code.code().starts_with(INTEGRITY_VIOLATION);
            if aborted { error.aborted() } else { error.definite() }
        }
        _ => error,
    }
}

/// Whether the server ended the transaction to keep a promise to it or to another one.
fn is_abort(code: &SqlState) -> bool {
    [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code)
}

fn rules_commit_out(severity: Option<Severity>, code: &SqlState) -> bool {
    // Two answers exist to say that the outcome is unknown; no client may take those for a no.
    let unknown = *code == SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
        || code.code().starts_with(CONNECTION_EXCEPTION);
    severity == Some(Severity::Error) && !unknown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Certainty;

    #[test]
    fn an_error_about_the_transaction_rules_its_commit_out() {
        for code in ["40001", "40P01", "23505", "53100"] {
            let code = SqlState::from_code(code);
            assert!(rules_commit_out(Some(Severity::Error), &code), "{code:?}");
        }
    }

    #[test]
    fn only_serialization_failures_and_deadlocks_are_aborts() {
        assert!(is_abort(&SqlState::from_code("40001")) && is_abort(&SqlState::from_code("40P01")));
        assert!(!is_abort(&SqlState::from_code("40003")) && !is_abort(&SqlState::UNDEFINED_TABLE));
    }

    #[test]
    fn a_backend_that_was_shut_down_at_its_commit_leaves_the_outcome_unknown() {
        assert!(!rules_commit_out(Some(Severity::Fatal), &SqlState::ADMIN_SHUTDOWN));
        assert!(!rules_commit_out(Some(Severity::Panic), &SqlState::CRASH_SHUTDOWN));
        assert!(!rules_commit_out(None, &SqlState::T_R_SERIALIZATION_FAILURE));
    }

    #[test]
    fn an_answer_that_says_unknown_is_taken_at_its_word() {
        for code in ["40003", "08007"] {
            let code = SqlState::from_code(code);
            assert!(!rules_commit_out(Some(Severity::Error), &code), "{code:?}");
        }
    }

    #[test]
    fn a_connection_that_is_closed_at_the_commit_leaves_the_outcome_unknown() {
        let error = commit_error(Error::__private_api_timeout());
        assert_eq!(error.certainty(), Certainty::Indefinite);
        assert_eq!(error.refusal(), None);
    }
}
