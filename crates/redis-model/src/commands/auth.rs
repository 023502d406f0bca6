//! The password. There is one user, called default.

use bytes::Bytes;

use super::{Call, Command, Flags, KeyPositions};
use crate::reply::{Outcome, Refusal, Reply};

pub(super) const COMMANDS: &[Command] = &[Command::new(
    "auth",
    -2,
    Flags::NOSCRIPT.and(Flags::FAST).and(Flags::NO_AUTH),
    KeyPositions::NONE,
    auth,
)];

/// `AUTH [user] password`
fn auth(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    match words {
        [_, _] if call.core.settings.password.is_empty() => Err(Refusal::fixed(
            "ERR AUTH <password> called without any password configured for the default user. Are \
             you sure your configuration is correct?",
        )),
        [_, password] => log_in(call, b"default", password),
        [_, user, password] => log_in(call, user, password),
        _ => Err(Refusal::SYNTAX),
    }
}

/// Where there is no password, any is right.
pub(super) fn log_in(call: &mut Call<'_>, user: &[u8], password: &[u8]) -> Outcome {
    let wanted = &call.core.settings.password;
    if user != b"default" || !(wanted.is_empty() || wanted == password) {
        return Err(Refusal::fixed(
            "WRONGPASS invalid username-password pair or user is disabled.",
        ));
    }
    call.session.authenticated = true;
    Ok(Reply::OK)
}
