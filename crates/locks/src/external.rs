//! Locks that a program of somebody else's speaks for, in any language: an *adapter*.
//!
//! ```text
//!   catalog/external.rs ──▶ Conversation ──▶ AdapterLine ──▶ Backends (the rig's: starts the program)
//!      an acquire is a request    numbers, time limits      lines of JSON, both ways
//! ```
//!
//! What is said is specified, message by message, in `docs/external-lock.md`, whose examples a test reads.

mod conversation;
mod line;
mod message;

pub(crate) use conversation::{Conversation, Outcome};
pub use line::AdapterLine;
pub use message::{ADAPTER_PROTOCOL, Answer, AnswerWord, Hello, Request};
