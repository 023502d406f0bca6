//! The proxy over real sockets. Times are checked from below only, and steps are waited for by what a toxic counts,
//! so that a slow machine passes too.

mod latency;
mod lifecycle;
mod partition;
mod reset;
mod rules;
mod stream;
mod support;
