//! The executor from outside: order, time, groups, endings.

mod determinism;
mod endings;
mod groups;
mod time;
