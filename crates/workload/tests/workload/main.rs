//! Holders, step by step, at a gate whose keeper is the test.

mod cut;
mod killed;
mod order;
mod support;
