//! Cells end to end, on embedded servers: what they must find, what they must not, and how that is judged.
//!
//! Nothing here depends on how quick the machine is: holders are paused at steps until others have come to theirs.

mod buggified;
mod buggify;
mod controls;
mod flows;
mod hunt;
mod judgement;
mod kept;
mod merged;
mod open_loop;
mod paused;
mod planted;
mod support;
mod wire;
