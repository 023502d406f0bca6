//! What a scenario file may say, and what is said of one that may not.

mod catalogue;
mod coordinators;
mod faults;
mod flows;
mod holders;
mod problems;
mod replaced;
mod resolved;
mod servers;
mod support;
mod targets;
mod topologies;
mod worlds;
