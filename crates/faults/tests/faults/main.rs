//! Every fault injects, proves that it did, and heals; and fires when its trigger says.

mod buggify;
mod conformance;
mod dropped;
mod holders;
mod killed;
mod links;
mod locks;
mod servers;
mod simulated;
mod slow_commit;
mod support;
mod triggers;
mod windows;
