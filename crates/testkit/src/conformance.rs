//! What a thing promises, run against everything that promises it.

pub mod faults;
pub mod guards;
pub mod locks;
