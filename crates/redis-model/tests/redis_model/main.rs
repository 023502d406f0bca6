//! What the model answers, command by command, at times that the test decides.

mod bad_bytes;
mod expiry;
mod keys;
mod scripts;
mod streams;
mod strings;
mod support;
