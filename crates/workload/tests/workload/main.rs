//! Holders, step by step, at a gate whose keeper is the test.

mod cut;
mod doubles;
mod flows;
mod killed;
mod order;
mod remote;
mod support;
