//! What the model answers, command by command, at times that the test decides.

mod bad_bytes;
mod expiry;
mod hashes_and_sets;
mod keys;
mod lists;
mod pushes;
mod script_libraries;
mod scripts;
mod served;
mod settings;
mod sorted_sets;
mod streams;
mod strings;
mod support;
mod transactions;
